"""Declared files as structs: those that come with the product, each of which a bank's own file of the same name
replaces. What does not fit is refused, naming the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import yaml

T = TypeVar("T")


class PolicyError(ValueError):
    """A declared file is missing or contradicts itself: the message names file and mistake."""


class Place(NamedTuple):
    """A directory of the product's files, and where given one of a bank's own, laid over it file by file."""

    product: Path
    own: Path | None = None

    def path(self, name: str) -> Path:
        own = self.own / name if self.own else None
        return own if own is not None and own.is_file() else self.product / name

    def paths(self) -> Iterator[Path]:
        found = {path.name for place in (self.product, self.own) if place for path in place.glob("*.yaml")}
        return (self.path(name) for name in sorted(found))

    def read(self, name: str, into: type[T]) -> T:
        """Raises PolicyError."""
        try:
            content: Any = yaml.safe_load(self.path(name).read_text(encoding="utf-8"))
            return msgspec.convert(content, into, strict=False)
        except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
            raise PolicyError(f"{name}: {error}") from error


def place(product: Path, own: str) -> Place:
    """Raises PolicyError when the bank's own directory is not there."""
    if own and not Path(own).is_dir():
        raise PolicyError(f"{own} is no directory")
    return Place(product, Path(own) if own else None)
