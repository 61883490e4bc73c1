"""Where in a declared file a mistake stands: told to whoever wrote it, so it may cost what a second reading costs."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import yaml

from services.expected import located

_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_STEP = re.compile(r"\[(\d+)\]|\[\.\.\.\]|([^.\[\]]+)")
Steps = Sequence[object]
"""From the top of a file inwards: keys of mappings, places in lists."""


def line_of(text: bytes, steps: Steps) -> int:
    """Of the deepest part that there is; counts from 1."""
    node, line = yaml.compose(text, yaml.SafeLoader), 1
    for step in steps:
        inner = _inner(node, step)
        if inner is None:
            break
        node, line = inner
    return line


def _inner(node: yaml.Node | None, step: object) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        found = ((value, key.start_mark.line + 1) for key, value in node.value if key.value == str(step))
        return next(found, None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None


def misfit(error: msgspec.ValidationError, content: Any, into: Any) -> tuple[list[object], str]:
    """The place and the message of what does not fit `into`. `content` is used up: what is beside the place goes."""
    message, path, is_key = located(error)
    unknown = _UNKNOWN.search(message)
    steps = _steps(path + ("[...]" if is_key else ""), content, into)
    return [*steps, *(unknown.groups() if unknown else ())], message


def _steps(path: str, content: Any, into: Any) -> list[object]:
    steps: list[object] = []
    here: Any = content
    for step in _STEP.finditer(path):
        key: Any = step[2] or (int(step[1]) if step[1] else _guilty(here, content, into))
        if key is None:
            break
        steps.append(key)
        here = here[key] if isinstance(here, dict | list) else None
    return steps


def _guilty(mapping: Any, content: Any, into: Any) -> object:
    """The first key that does not fit, or whose value does not: the error itself names none. The others are left
    out."""
    entries = list(mapping.items()) if isinstance(mapping, dict) else []
    for key, value in entries:
        mapping.clear()
        mapping[key] = value
        try:
            msgspec.convert(content, into, strict=False)
        except msgspec.ValidationError:
            return key
    return None
