"""Replays what already happened: readers of files, and a sender to the platform's public door. Imports no service."""
