"""YAML without what can be built from it, each key of a mapping once: of two, one would be lost without a word."""

from typing import Any

import yaml

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a bank's list of rates grows by the day


class PlainLoader(_Fast):  # type: ignore[misc]  # which of the two it is depends on how YAML was built
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """Raises `MarkedYAMLError`."""
        seen = set[str]()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(None, None, f"{key.value} is written twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
