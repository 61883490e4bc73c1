"""YAML without what can be built from it, each key of a mapping once: of two, one would be lost without a word.

The fast loader goes down into a text by calling itself, in C, where too many brackets end the process; reading its
events does not. Nor does a text take what it names from elsewhere in it: a few lines would grow to millions.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import yaml

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a bank's list of rates grows by the day
MAX_DEPTH = 100


class NotTaken(yaml.MarkedYAMLError):
    """It is YAML; what is wrong is told by `problem`."""


def refuse_too_much(text: bytes | str) -> None:
    """Raises `NotTaken` where a text is nested too deeply or repeats a part of itself, and `YAMLError` where it is no
    YAML."""
    depth, events = 0, cast("Iterable[Any]", yaml.parse(text, _Fast))  # the stubs have two kinds of marks
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise NotTaken(None, None, f"more than {MAX_DEPTH} levels deep", event.start_mark)
        if getattr(event, "anchor", None) is not None:
            raise NotTaken(None, None, "anchors and aliases are not taken: write it out", event.start_mark)


def decoded(content: bytes) -> str:
    """Raises `NotTaken` for what is no UTF-8, as files are that an editor has saved in the code page of its machine."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = "is not written in UTF-8: save it as UTF-8"
        if _is_text(content, "gb18030"):
            message = "is not written in UTF-8 (GBK, as it seems): save it as UTF-8"
        mark = yaml.Mark("", error.start, content.count(b"\n", 0, error.start), 0, None, 0)
        raise NotTaken(None, None, message, mark) from error


def _is_text(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


class PlainLoader(_Fast):  # type: ignore[misc]  # which of the two it is depends on how YAML was built
    def __init__(self, text: bytes) -> None:
        """Raises as `decoded` and `refuse_too_much` do."""
        refuse_too_much(decoded(text))
        super().__init__(text)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """Raises `MarkedYAMLError`."""
        seen = set[str]()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"{key.value} is written twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What is not what its tag says (`!!int x`) is named with its line."""
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.MarkedYAMLError(None, None, "is not what its tag says", node.start_mark) from error

    def _date(self, node: yaml.ScalarNode) -> Any:
        """What only looks like one is named with its line."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.MarkedYAMLError(None, None, f"{node.value} is no date", node.start_mark) from error


PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", PlainLoader._date)


def entries(text: bytes) -> tuple[Any, Mapping[str, int]]:
    """What a mapping holds, and the line of each name at its top; None for anything else. Raises `YAMLError`."""
    loader = PlainLoader(text)
    node = loader.get_single_node()
    if not isinstance(node, yaml.MappingNode):
        return None, {}
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    return loader.construct_document(node), lines
