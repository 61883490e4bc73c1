"""`counterpoint dead-letters`: what could not be used."""
