"""What was expected in place of a value, in words for a person who set it; the value itself is never repeated."""

import difflib
import re
from collections.abc import Iterable

import msgspec

_KINDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "object": "a JSON object",
    "array": "a list",
}  # fmt: skip
_EXPECTED = re.compile(r"Expected `(\w+)(?: \| null)?`(?: ((?:[<>]=?|matching|of length).*?))?(?:, got .*)?")
_FIELD = re.compile(r" - at `\$\.(\w+).*?`$")


def expected(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field, "" for the whole; and the words."""
    told = str(error)
    field = _FIELD.search(told)
    found = _EXPECTED.fullmatch(_FIELD.sub("", told))
    if found is None or found[1] not in _KINDS:
        return field[1] if field else "", "not one of its choices" if "enum" in told else "not as expected"
    more = (found[2] or "").replace("matching regex", "like")
    return field[1] if field else "", f"{_KINDS[found[1]]}{' ' if more else ''}{more} is expected"


def instead_of(name: str, known: Iterable[str]) -> str:
    """What could have been meant by a name that is none of `known`."""
    known = tuple(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
