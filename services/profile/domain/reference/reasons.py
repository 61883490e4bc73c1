"""What customers come for, in one word over all channels: each source has its own codes for the same thing."""

from collections.abc import Mapping
from typing import NamedTuple


class Reasons(NamedTuple):
    """`of_code`: a source's code → the bank's word; `of_event`: the word for what an event type tells of by itself.
    `leaving`: the words of those who are about to go."""

    of_code: Mapping[str, str] = {}
    of_event: Mapping[str, str] = {}
    leaving: frozenset[str] = frozenset()

    def word(self, code: object) -> str:
        """A code that nobody listed is its own word; empty where none was told."""
        return "" if code is None else self.of_code.get(str(code), str(code))

    def of_step(self, event_type: str, code: object) -> frozenset[str]:
        """All words for a failed step."""
        return frozenset({self.of_event.get(event_type, ""), self.word(code)} - {""})


NO_REASONS = Reasons()
