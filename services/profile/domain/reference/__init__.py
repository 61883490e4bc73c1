"""Dated tables that a bank replaces, and what they come to. A table is handed in, never read here."""
