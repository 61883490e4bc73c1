"""`counterpoint watch`: the live board."""
