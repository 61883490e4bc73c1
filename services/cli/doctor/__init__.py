"""`counterpoint doctor`: what is wrong, in words."""
