"""What is asked of the facts of a profile change. Of a fact that runs with the days alone, a reader need only hear when
it passes a limit that somebody asks for: 812 days instead of 811 change nobody's mind."""

from collections.abc import Mapping
from typing import NamedTuple


class Limit(NamedTuple):
    """A fact is compared with `than`, plus `times` what the fact `other` is."""

    than: float
    times: float = 0.0
    other: str = ""


class Asked(NamedTuple):
    """`limits` by fact; of a fact `wholly` asked every value counts. `version` tells apart who asks: another one wants
    to hear of every customer anew."""

    version: str
    limits: Mapping[str, frozenset[Limit]]
    wholly: frozenset[str] = frozenset()
