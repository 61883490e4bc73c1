"""Reads `destinations.yaml`, the product's (empty) or the bank's own. Everything that is wrong is told at once."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from services.alerts.adapters.yaml_lines import Lines, Unreadable, read_lines
from services.alerts.domain.destinations import Declared, Destination, mistakes, variables
from services.declared_files import Place

DESTINATIONS = "destinations.yaml"


class Loaded(NamedTuple):
    """Where there are mistakes, a caller that has a former list keeps it."""

    declared: Declared
    mistakes: Sequence[str]


def load_destinations(files: Place, environment: Mapping[str, str]) -> Loaded:
    """A secret that the environment does not hold is a mistake: nothing could be sent."""
    path = files.path(DESTINATIONS)
    try:
        lines, _ = read_lines(path)
        declared = msgspec.convert(lines.content, Declared, strict=False)
    except Unreadable as error:
        return Loaded(Declared(), [f"{path.name}:{error.line}: {error}"])
    except msgspec.ValidationError as error:
        return Loaded(Declared(), [f"{path.name}: {error}"])
    found = [f"{path.name}:{line}: {key}: is written twice" for line, key in lines.twice()]
    return Loaded(declared, [*found, *_mistakes(path, lines, declared.destinations, environment)])


def _mistakes(
    path: Path, lines: Lines, destinations: Sequence[Destination], environment: Mapping[str, str]
) -> Iterator[str]:
    seen = set[str]()
    for place, one in enumerate(destinations):
        wrong = list(mistakes(one))
        wrong += [("id", "another destination has this id")] * (one.id in seen)
        missing = sorted(variables(one) - environment.keys()) if one.enabled else []
        wrong += [("secret", f"the environment variable {name} is not set") for name in missing]
        seen.add(one.id)
        for field, message in wrong:
            line = lines.line_of(f"destinations[{place}].{field}")
            yield f"{path.name}:{line}: {one.id} {field}: {message}"
