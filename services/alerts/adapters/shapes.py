"""What in a file that a bank declares is not as its struct wants it: all of it, where a conversion stops at the first
mistake."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from services.expected import choices, nearest

_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN_FIELD = re.compile(r"unknown field `([^`]*)`")
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
        yield field, _said(field, message, into)
        unknown = _UNKNOWN_FIELD.search(message)
        del left[unknown[1] if unknown is not None and not field else re.split(r"[.\[]", field)[0]]


def _told(content: Any, into: type[msgspec.Struct]) -> tuple[str, str] | None:
    try:
        msgspec.convert(content, into, strict=False)
    except msgspec.ValidationError as error:
        told = str(error)
        found = _AT.search(told)
        return (found[1], told[: found.start()]) if found else ("", told)
    return None


def _said(field: str, message: str, into: type[msgspec.Struct]) -> str:
    unknown = _UNKNOWN_FIELD.search(message)
    if unknown is not None:
        return message + nearest(unknown[1], into.__struct_fields__)
    if message.startswith("Invalid enum value"):
        return f"{message}; one of {', '.join(choices(into, field))} is expected"
    return message
