"""A customer: the combination of its subjects' states, read as a person would ask, and the view."""
