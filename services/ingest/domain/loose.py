"""Parses JSON slowly where the fast parser refused it: a value that cannot be represented is the mistake of one field.

NaN, 1e400 and lone surrogates are found by their place, so that they cost one event and not its batch.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

_LONGEST_INTEGER = 40  # digits; beyond, Python itself takes long, and nothing of ours is so large


class Unusable(NamedTuple):
    """Stands in for a value that cannot be represented. `reason`: a stable word; `malformed` is not JSON at all."""

    what: str
    reason: str = "invalid_value"


TWICE = Unusable("stands twice in its object, and nobody knows which one was meant: send it once", "duplicate_field")


def loosely(text: str) -> Any:
    """The value, with an `Unusable` in each place that holds none. Raises `ValueError` and `RecursionError`."""
    return json.loads(
        text, parse_float=_float, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_members
    )


def is_sound_batch(body: bytes) -> bool:
    """Of an object, whether it is `{"events": […]}` and nothing else, whatever stands in the single events."""
    try:
        batch = loosely(body.decode(errors="replace"))
    except RecursionError:
        return True  # one of them is nested too deeply: each is judged by itself
    except ValueError:
        return False
    return bool(batch.keys() == {"events"} and isinstance(batch["events"], list))


def unusable(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Unusable]]:
    """What cannot be held, with its place."""
    if isinstance(value, Unusable):
        yield path, value
    elif isinstance(value, str) and not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        yield path, Unusable("contains half a character (an unpaired surrogate)", "malformed")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from unusable(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from unusable(item, path)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        found |= {name: TWICE for name, times in counted.items() if times > 1}
    return found


def _float(text: str) -> float | Unusable:
    value = float(text)
    return value if math.isfinite(value) else Unusable("number out of range")


def _integer(text: str) -> int | Unusable:
    return int(text) if len(text) <= _LONGEST_INTEGER else Unusable("number out of range")


def _constant(text: str) -> Unusable:
    return Unusable(f"{text} is no number of JSON", "malformed")
