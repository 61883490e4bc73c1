"""Reads `destinations.yaml`, the product's (empty) or the bank's own. Everything that is wrong is told at once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from services.alerts.adapters.reading import Reading
from services.alerts.domain.destinations import DESTINATIONS, Declared, Destination, mistakes, variables
from services.declared_files import Directories, stamp


class Loaded(NamedTuple):
    """Where there are mistakes, a caller that has a former list keeps it. `author`: who changed the file last."""

    declared: Declared
    mistakes: Sequence[str]
    author: str


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """As `Declared`: each destination is then read by itself, so that its mistakes are told by its name."""

    destinations: tuple[dict[str, Any], ...] = ()
    link: str = ""


def load_destinations(files: Directories, environment: Mapping[str, str]) -> Loaded:
    """A secret that the environment does not hold is a mistake: nothing could be sent."""
    reading = Reading()
    declared = _declared(files.path(DESTINATIONS), reading, environment)
    return Loaded(declared, [str(one) for one in reading.mistakes], reading.authors.get(DESTINATIONS, ""))


def _declared(path: Path, reading: Reading, environment: Mapping[str, str]) -> Declared:
    lines = reading.signed(path)
    if lines is None or (written := reading.converted(path.name, lines, "", _Written)) is None:
        return Declared()
    found: dict[str, Destination] = {}
    for place, told in enumerate(written.destinations):
        name, here = str(told.get("id", "")), lines.at(f"destinations[{place}]")
        one = reading.converted(path.name, here, name, Destination)
        if one is not None:
            for field, message in _mistakes(one, found, environment):
                reading.tell(path.name, here, name, field, message)
            found[one.id] = one
    return Declared(tuple(found.values()), written.link)


def _mistakes(one: Destination, before: Collection[str], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from mistakes(one)
    if one.id in before:
        yield "id", "another destination has this id"
    for name in sorted(variables(one) - environment.keys()) if one.enabled else ():
        yield "secret", f"the environment variable {name} is not set"


class Destinations:
    """Those declared now; a bad file never replaces a good one. `unwritten`: what was read and is not yet in the
    history of editions."""

    def __init__(self, files: Directories, environment: Mapping[str, str]) -> None:
        self._files, self._environment = files, environment
        self._seen: tuple[object, ...] = ()
        self.declared = Declared()
        self.unwritten: Loaded | None = None

    def read(self) -> Sequence[str]:
        """Reads the file again if it has changed; returns its mistakes, with which the former file stays in force."""
        seen = stamp(self._files.path(DESTINATIONS))
        if seen == self._seen:
            return ()
        self._seen = seen
        loaded = load_destinations(self._files, self._environment)
        if not loaded.mistakes:
            self.declared, self.unwritten = loaded.declared, loaded
        return loaded.mistakes

    def written_down(self, loaded: Loaded) -> None:
        """A file that has changed meanwhile is still to be written down."""
        if self.unwritten is loaded:
            self.unwritten = None

    def find(self, destination_id: str) -> Destination | None:
        return next((one for one in self.declared.destinations if one.id == destination_id and one.enabled), None)
