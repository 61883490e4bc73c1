"""YAML as texts, lists and mappings that know their lines. Every scalar stays the text that was written, so that
`on` is no truth value and `2.0` no float; nothing can be built from it, and nothing in it can grow."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from schemas.plain_yaml import NotTaken, decoded, refuse_too_much
from services.alerts.adapters.yaml_slips import told

MAX_BYTES = 256 * 1024
_STEP = re.compile(r"[^.\[\]]+")


class Unreadable(ValueError):  # noqa: N818 - a finding about a file, told to whoever wrote it
    """`line` counts from 1; 0 where the whole file is meant."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class Lines(NamedTuple):
    """`content`: str, list or dict, as `node` has it."""

    node: yaml.Node
    content: Any

    def at(self, path: str) -> "Lines":
        """By a path such as `when[0]` or `name.en`; the deepest that there is."""
        here = self
        for step in _STEP.findall(path):
            inner = here._inner(step)
            if inner is None:
                break
            here = inner
        return here

    def line_of(self, path: str) -> int:
        return int(self.at(path).node.start_mark.line) + 1

    def _inner(self, step: str) -> "Lines | None":
        if isinstance(self.node, yaml.MappingNode):
            return next((Lines(value, self.content[step]) for key, value in self.node.value if key.value == step), None)
        if isinstance(self.node, yaml.SequenceNode) and step.isdigit() and int(step) < len(self.node.value):
            return Lines(self.node.value[int(step)], self.content[int(step)])
        return None

    def members(self) -> Iterator[tuple[str, "Lines"]]:
        """Of a mapping, by name; nothing of what is none."""
        if isinstance(self.node, yaml.MappingNode):
            yield from ((key.value, Lines(value, self.content[key.value])) for key, value in self.node.value)

    def without(self, key: str) -> "Lines":
        """A mapping without one of its keys; the others stay where they are."""
        if not isinstance(self.node, yaml.MappingNode):
            return self
        kept = [(name, value) for name, value in self.node.value if name.value != key]
        node = yaml.MappingNode(self.node.tag, kept, self.node.start_mark, self.node.end_mark)
        return Lines(node, {name: told for name, told in self.content.items() if name != key})

    def twice(self) -> Iterator[tuple[int, str]]:
        """Keys that a mapping has twice, of which the first would be lost without a word: line and key."""
        waiting = [self.node]
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                seen = set[str]()
                for key, value in node.value:
                    if key.value in seen:
                        yield key.start_mark.line + 1, key.value
                    seen.add(key.value)
                    waiting.append(value)


def read_lines(path: Path) -> tuple[Lines, bytes]:
    """With the file's bytes. Raises `Unreadable`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Unreadable(f"is larger than {MAX_BYTES // 1024} KB: split it")
        text = decoded(content)
        refuse_too_much(text)
        loader = yaml.BaseLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise Unreadable("is empty")
        return Lines(node, loader.construct_document(node)), content
    except yaml.MarkedYAMLError as error:
        if isinstance(error, NotTaken) and error.problem_mark:
            raise Unreadable(str(error.problem), error.problem_mark.line + 1) from error
        raise Unreadable(*told(error, text)) from error
    except yaml.reader.ReaderError as error:
        message = f"cannot be read: it has the control character {error.character:#04x}"
        raise Unreadable(message, text.count("\n", 0, error.position) + 1) from error
    except (OSError, yaml.YAMLError) as error:
        raise Unreadable(f"cannot be read: {error}") from error
