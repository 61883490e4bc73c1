"""Whose a declared file is."""

from pathlib import Path


def owner_of(path: Path) -> str:
    """On this machine; a container may know no name for it."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return f"user {path.stat().st_uid}" if path.exists() else "somebody"
