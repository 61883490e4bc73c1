"""Who changed a declared file last: whoever its first lines name, else whose it is on this machine."""

import re
from pathlib import Path
from typing import Any

CHANGED_BY = "changed_by"
_NAME = re.compile(r"[^\x00-\x1f]{1,100}")


def owner_of(path: Path) -> str:
    """On this machine; a container may know no name for it."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return f"user {path.stat().st_uid}" if path.exists() else "somebody"


def author_of(path: Path, content: dict[str, Any]) -> str | None:
    """None where what is written is no name."""
    author = content.get(CHANGED_BY) or owner_of(path)
    return author if isinstance(author, str) and _NAME.fullmatch(author) else None
