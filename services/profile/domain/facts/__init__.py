"""What a rule or a screen may ask: flat typed facts, moments, and when to look again."""
