"""`counterpoint rules`: what makes an alert, and what it would have made of a past."""
