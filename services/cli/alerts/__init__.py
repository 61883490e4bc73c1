"""`counterpoint alerts`, `destinations`, `deliveries`: the inbox, and where alerts go beside it."""
