"""Plumbing of everything that speaks HTTP. Knows no route of any service."""
