"""What rules ask of the facts of a profile change. A fact that only grows with the days needs to be published only when
it passes a limit that a rule asks for: 812 days instead of 811 change no verdict."""

from collections.abc import Mapping
from typing import NamedTuple


class Limit(NamedTuple):
    """The fact is compared with `than`, plus `times` the value of the fact `other`."""

    than: float
    times: float = 0.0
    other: str = ""


class Asked(NamedTuple):
    """`limits` by fact. Facts in `wholly` matter with every value. `version` identifies the questions: when it changes,
    every customer is published anew."""

    version: str
    limits: Mapping[str, frozenset[Limit]]
    wholly: frozenset[str] = frozenset()
