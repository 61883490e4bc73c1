"""Which files of rules there are, whether they have changed since, and whose they are."""

from collections.abc import Iterator
from pathlib import Path

from services.declared_files import Place


def stamp(files: Place) -> tuple[object, ...]:
    """Names, sizes and times of change: another stamp tells that the files have changed. Taken before they are read."""
    return tuple(_stamp(path) for path in declared_in(files))


def declared_in(files: Place) -> Iterator[Path]:
    """Without the hidden ones that editors leave beside what they edit."""
    return (path for path in files.paths() if not path.name.startswith("."))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        told = path.stat()
    except OSError:  # reading it will tell why
        return str(path), 0, 0
    return str(path), told.st_mtime_ns, told.st_size


def owner_of(path: Path) -> str:
    """On this machine; a container may know no name for it."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return f"user {path.stat().st_uid}" if path.exists() else "somebody"
