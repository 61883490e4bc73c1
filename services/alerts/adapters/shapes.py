"""What in a file that a bank declares is not as its struct wants it: all of it, where a conversion stops at the first
mistake."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from services.expected import choices, expected, located, nearest

_ENTRY = "[...]"
UNKNOWN_FIELD = re.compile(r"unknown field `([^`]*)`")
_MISSING_FIELD = "missing required field"


def misshapen(content: Any, into: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """Field and message. What is wrong is left out, until nothing more is."""
    if not isinstance(content, dict):
        yield from filter(None, [_told(content, into)])
        return
    left = dict(content)
    while (told := _told(left, into)) is not None:
        field, message = told
        if not field and _MISSING_FIELD in message:
            absent = [one.name for one in msgspec.structs.fields(into) if one.required and one.name not in content]
            yield from (("", f"Object {_MISSING_FIELD} `{name}`") for name in absent)
            return
        unknown = UNKNOWN_FIELD.search(message)
        wrong = unknown[1] if unknown is not None and not field else re.split(r"[.\[]", field)[0]
        entries = list(_of_entries(left, wrong, into)) if field == wrong + _ENTRY else []
        yield from entries or [(field, _said(field, message, into))]
        if left.pop(wrong, None) is None:
            return  # of what has no field nothing can be left out


def _of_entries(content: dict[str, Any], name: str, into: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """Of a field that maps names: which of them is wrong, or what it is given."""
    for key, value in content[name].items() if isinstance(content.get(name), dict) else ():
        told = _told({**content, name: {key: value}}, into)
        if told is not None and told[0] == name + _ENTRY:
            yield f"{name}.{key}", _said(name, told[1], into)


def _told(content: Any, into: type[msgspec.Struct]) -> tuple[str, str] | None:
    try:
        msgspec.convert(content, into, strict=False)
    except msgspec.ValidationError as error:
        message, path, is_key = located(error)
        return path + (_ENTRY if is_key else ""), message
    return None


def _said(field: str, message: str, into: type[msgspec.Struct]) -> str:
    unknown = UNKNOWN_FIELD.search(message)
    if unknown is not None:
        return message + nearest(unknown[1], into.__struct_fields__)
    if message.startswith("Invalid enum value"):
        return f"{message}; one of {', '.join(choices(into, field))} is expected"
    if not message.startswith("Expected `"):
        return message
    at_field = f"{message} - at `$.{field}`" if field else message
    return expected(msgspec.ValidationError(at_field), into)[1].replace("a JSON object", "a mapping")
