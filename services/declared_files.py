"""Declared files as structs: those that come with the product, and a bank's own, which replace them or are laid over
them. What does not fit is refused, naming file, line and mistake."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import yaml

from schemas.plain_yaml import PlainLoader
from services.declared_layers import NamedBy, changes, laid_over, traced
from services.declared_lines import line_of, misfit

T = TypeVar("T")


class PolicyError(ValueError):
    """A declared file is missing or contradicts itself: the message names file, line and mistake."""


class Texts(NamedTuple):
    """Declared files as they stood at one moment, by name. What both have is laid over each other: a mistake in it is
    the bank's, for the product's files fit."""

    product: Mapping[str, bytes]
    own: Mapping[str, bytes] = {}
    named_by: Mapping[str, str] = {}

    @property
    def version(self) -> str:
        """Another one tells of other content."""
        digest = sha256()
        for layer in (self.product, self.own):
            for name, text in layer.items():
                digest.update(name.encode() + b"\0" + sha256(text).digest())
            digest.update(b"\0")
        return digest.hexdigest()[:12]

    def only(self, names: Collection[str]) -> "Texts":
        product, own = ({name: layer[name] for name in layer if name in names} for layer in (self.product, self.own))
        return self._replace(product=product, own=own)

    def read(self, name: str, into: type[T]) -> T:
        """Raises PolicyError."""
        content = self._laid(name)[1] if self._is_laid(name) else _parsed(name, self._text(name))
        try:
            return msgspec.convert(content, into, strict=False)
        except msgspec.ValidationError as error:
            steps, message = misfit(error, content, into)
            raise self.wrong(name, message, *steps) from error

    def wrong(self, name: str, message: str, *steps: object) -> PolicyError:
        """`steps`: the place in what was read, as in `line_of`."""
        path, names = list(steps), list(map(str, steps))
        if self._is_laid(name):
            own, laid = self._laid(name)
            path, names = traced(laid, own, steps, self.named_by, name)
        line, where = line_of(self._text(name), path), ".".join(names)
        return PolicyError(f"{name}:{line}: {f'{where}: ' if where else ''}{message}")

    def apart(self) -> tuple["Texts", "Texts"]:
        """The product's, and the bank's as they are by themselves."""
        return Texts(self.product), Texts({}, self.own)

    def own_in_words(self) -> Iterator[str]:
        """The bank's files; of those that are laid over others what they add, and what they replace. Their
        version is no entry."""
        for name in sorted(self.own):
            if not self._is_laid(name):
                yield name
                continue
            product, own = (_parsed(name, layer[name]) for layer in (self.product, self.own))
            found = list(changes(product, own, self.named_by, name))
            for verb, replacing in (("adds", False), ("replaces", True)):
                if names := [entry for entry, replaces in found if replaces is replacing and entry != "version"]:
                    yield f"{name} {verb} {', '.join(names)}"

    def _is_laid(self, name: str) -> bool:
        return name in self.product and name in self.own

    def _laid(self, name: str) -> tuple[Any, Any]:
        """What the bank's file says, and what comes of it."""
        own = _parsed(name, self.own[name])
        return own, laid_over(_parsed(name, self.product[name]), own, self.named_by, name)

    def _text(self, name: str) -> bytes:
        text = self.own.get(name, self.product.get(name))
        if text is None:
            raise PolicyError(f"{name} is missing")
        return text


def _parsed(name: str, text: bytes) -> Any:
    try:
        return yaml.load(text, PlainLoader)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PolicyError(f"{name}{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"{name}: {error}") from error


class Directories(NamedTuple):
    """A directory of the product's files, and where given one of a bank's own."""

    product: Path
    own: Path | None = None

    def path(self, name: str) -> Path:
        """The bank's, where it has one."""
        own = self.own / name if self.own else None
        return own if own is not None and own.is_file() else self.product / name

    def layers(self) -> Mapping[str, Sequence[Path]]:
        """By name, in order: the product's file, and the bank's that is laid over it."""
        found = dict[str, list[Path]]()
        for path in (*_declared(self.product), *_declared(self.own)):
            found.setdefault(path.name, []).append(path)
        return dict(sorted(found.items()))

    def stamp(self) -> tuple[object, ...]:
        """Of all files: another one tells that they have changed. To be taken before they are read."""
        return tuple(stamp(path) for path in (*_declared(self.product), *_declared(self.own)))

    def own_names(self) -> frozenset[str]:
        """Of the files that are the bank's."""
        return frozenset(path.name for path in _declared(self.own))

    def texts(self, named_by: NamedBy | None = None) -> Texts:
        """The bank's files laid over those of the product; without `named_by` they take their place. Raises PolicyError
        for a file that cannot be read."""
        try:
            product, own = ({path.name: path.read_bytes() for path in _declared(at)} for at in (self.product, self.own))
        except OSError as error:
            raise PolicyError(f"{Path(error.filename).name}: {error.strerror}") from error
        if named_by is None:
            return Texts({name: text for name, text in product.items() if name not in own}, own)
        return Texts(product, own, named_by)


def _declared(directory: Path | None) -> list[Path]:
    """Without the hidden ones that editors leave beside what they edit."""
    return sorted(directory.glob("[!.]*.yaml")) if directory else []


def stamp(path: Path) -> tuple[object, ...]:
    """Another one tells that the file has changed."""
    try:
        status = path.stat()
    except OSError:  # reading it will tell why
        return (str(path),)
    return str(path), status.st_ino, status.st_ctime_ns, status.st_mtime_ns, status.st_size


def directories(product: Path, own: str) -> Directories:
    """Raises PolicyError when the bank's own directory is not there, or has a file that only looks declared."""
    if not own:
        return Directories(product)
    if not Path(own).is_dir():
        raise PolicyError(f"{own} is no directory")
    for path in sorted(Path(own).glob("[!.]*.yml")):
        raise PolicyError(f"{path.name} is read by nobody: call it {path.stem}.yaml")
    return Directories(product, Path(own))
