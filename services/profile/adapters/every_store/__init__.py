"""What the stores in memory and in SQL do alike: pure functions over their rows, so that neither can differ."""
