"""Declared files as structs: those that come with the product, each of which a bank's own file of the same name
replaces. What does not fit is refused, naming file, line and mistake."""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import yaml

from services.declared_lines import line_of, unfit

T = TypeVar("T")
_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a bank's list of rates grows by the day


class PolicyError(ValueError):
    """A declared file is missing or contradicts itself: the message names file, line and mistake."""


class _Loader(_Fast):  # type: ignore[misc]  # which of the two it is depends on how YAML was built
    """Names what only looks like a date with its line."""

    def _date(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.MarkedYAMLError(None, None, f"{node.value} is no date", node.start_mark) from error


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader._date)


class Texts(NamedTuple):
    """Declared files as they stood at one moment, by name. `own`: names of those that are the bank's."""

    content: Mapping[str, bytes]
    own: frozenset[str]

    @property
    def version(self) -> str:
        """Another one tells of other content."""
        told = sha256()
        for name, text in self.content.items():
            told.update(name.encode() + b"\0" + sha256(text).digest())
        return told.hexdigest()[:12]

    def only(self, names: Collection[str]) -> "Texts":
        return Texts({name: text for name, text in self.content.items() if name in names}, self.own & frozenset(names))

    def read(self, name: str, into: type[T]) -> T:
        """Raises PolicyError."""
        text = self.content.get(name)
        if text is None:
            raise PolicyError(f"{name} is missing")
        content = _parsed(name, text)
        try:
            return msgspec.convert(content, into, strict=False)
        except msgspec.ValidationError as error:
            steps, message = unfit(error, content, into)
            raise self.wrong(name, message, *steps) from error

    def wrong(self, name: str, message: str, *steps: object) -> PolicyError:
        """`steps`: the place in the file, as in `line_of`."""
        where = ".".join(map(str, steps))
        return PolicyError(f"{name}:{line_of(self.content[name], steps)}: {f'{where}: ' if where else ''}{message}")


def _parsed(name: str, text: bytes) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PolicyError(f"{name}{line}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{name}: {error}") from error


class Place(NamedTuple):
    """A directory of the product's files, and where given one of a bank's own, laid over it file by file."""

    product: Path
    own: Path | None = None

    def path(self, name: str) -> Path:
        own = self.own / name if self.own else None
        return own if own is not None and own.is_file() else self.product / name

    def paths(self) -> Iterator[Path]:
        """Without the hidden ones that editors leave beside what they edit."""
        found = {path.name for place in (self.product, self.own) if place for path in place.glob("[!.]*.yaml")}
        return (self.path(name) for name in sorted(found))

    def stamp(self) -> tuple[object, ...]:
        """Of all files: another one tells that they have changed. To be taken before they are read."""
        return tuple(stamp(path) for path in self.paths())

    def own_names(self) -> frozenset[str]:
        """Of the files that are the bank's."""
        return frozenset(path.name for path in self.paths() if path.parent == self.own)

    def texts(self) -> Texts:
        """Raises PolicyError for a file that cannot be read."""
        try:
            return Texts({path.name: path.read_bytes() for path in self.paths()}, self.own_names())
        except OSError as error:
            raise PolicyError(f"{Path(error.filename).name}: {error.strerror}") from error


def stamp(path: Path) -> tuple[object, ...]:
    """Another one tells that the file has changed."""
    try:
        told = path.stat()
    except OSError:  # reading it will tell why
        return (str(path),)
    return str(path), told.st_ino, told.st_ctime_ns, told.st_mtime_ns, told.st_size


def place(product: Path, own: str) -> Place:
    """Raises PolicyError when the bank's own directory is not there."""
    if own and not Path(own).is_dir():
        raise PolicyError(f"{own} is no directory")
    return Place(product, Path(own) if own else None)
