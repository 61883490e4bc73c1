"""What leaves for receivers outside: HTTP, mail, and the signatures by which they know who sent it. Knows no alert."""
