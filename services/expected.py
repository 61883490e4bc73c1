"""What was expected in place of a value, in words for a person who set it; the value itself is never repeated."""

import difflib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

_KINDS = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "text", "object": "a JSON object",
    "array": "a list",
}  # fmt: skip
_EXPECTED = re.compile(r"Expected `(\w+)(?: \| null)?`(?: ((?:[<>]=?|matching|of length).*?))?(?:, got .*)?")
_INSTANT = "a time with its zone is expected, such as 2026-11-30T09:00:00+08:00"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_AT = re.compile(r" - at (`key` in )?`\$\.?([^`]*)`$")
_FIRST = re.compile(r"\w+")


class Located(NamedTuple):
    """What a validator says, without the place; the place as `a.b[0]`, "" for the whole, and whether its key is
    meant and not its value."""

    message: str
    path: str
    is_key: bool


def located(error: msgspec.ValidationError) -> Located:
    text = str(error)
    found = _AT.search(text)
    return Located(text[: found.start()], found[2], bool(found[1])) if found else Located(text, "", is_key=False)


def expected(error: msgspec.ValidationError, into: type | None = None) -> tuple[str, str]:
    """The field, "" for the whole; and the words. `into`: the struct whose field it is, where its choices can be
    told."""
    message, path, is_key = located(error)
    first = None if is_key else _FIRST.match(path)
    field = first[0] if first else ""
    found = _EXPECTED.fullmatch(message)
    if found is not None and found[1] in _KINDS:
        more = (found[2] or "").replace("matching regex", "like")
        more = more or (_fields(into, field) if into is not None and found[1] == "object" else "")
        return field, f"{_KINDS[found[1]]}{' ' if more else ''}{more} is expected"
    if "datetime" in message:
        return field, _INSTANT
    words = choices(into, field) if into is not None and "enum" in message else []
    return field, f"one of {', '.join(words)} is expected" if words else "not as expected"


def choices(into: type, field: str) -> list[str]:
    """The words that a field of a struct takes, or a part of it: `hours.zone`, `people[0]`."""
    waiting: list[Any] = [get_type_hints(into).get(re.split(r"[.\[]", field)[0])]
    found: list[str] = []
    while waiting:
        for one in get_args(waiting.pop()):
            (found if isinstance(one, str) else waiting).append(one)
    return [one for one in found if one]


def _fields(into: type, field: str) -> str:
    """What the object of a field holds, "" where it may hold anything."""
    hint = get_type_hints(into).get(field)
    shapes = [one for one in (hint, *get_args(hint)) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return f"of {' and '.join(shapes[0].__struct_fields__)}" if shapes else ""


def unfit(text: str, most: int) -> str:
    """What is wrong with what a person wrote, "" for nothing. Lines are taken; what no database or screen takes (NUL,
    escapes) is not."""
    if len(text) > most:
        return f"at most {most} characters are taken"
    return "control characters are not taken" if _CONTROL.search(text) else ""


def meant(name: str, known: Iterable[str], alike: float = 0.6, most: int = 1) -> str:
    """A question after what was probably meant by a name that is none of `known`, "" where none of them is `alike`."""
    close = difflib.get_close_matches(name, list(known), most, alike)
    return f"did you mean {' or '.join(close)}?" if close else ""


def instead_of(name: str, known: Iterable[str]) -> str:
    """What could have been meant, else what there is."""
    known = tuple(known)
    return meant(name, known, 0.75) or f"known are {', '.join(known)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """What was probably meant, as the end of a sentence."""
    question = meant(name, known)
    return f"; {question}" if question else ""
