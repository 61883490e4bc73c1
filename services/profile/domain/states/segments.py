"""A subject's events in segments, cut where a link begins or ends; most subjects have one."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from schemas.events import REVERSED, ChannelEvent
from services.profile.domain.identity.links import BEGINNING, END
from services.profile.domain.states.fold import Fold, original_at
from services.profile.domain.states.state import Head, Month, State


class Segments:
    """The states of one subject while events are folded into them."""

    def __init__(self, cuts: list[int], heads: list[Head], months: dict[int, list[Month]]) -> None:
        self.cuts = cuts
        self.states = [
            State(head, {number: parts[place] for number, parts in months.items()}) for place, head in enumerate(heads)
        ]

    @classmethod
    def empty(cls, cuts: list[int]) -> "Segments":
        return cls(cuts, [Head() for _ in range(len(cuts) + 1)], {})

    @classmethod
    def of(cls, cuts: list[int], events: Iterable[ChannelEvent], fold: Fold) -> "Segments":
        """Folds a whole past anew."""
        segments = cls.empty(cuts)
        for event in events:
            segments.add(event, fold)
        return segments

    def add(self, event: ChannelEvent, fold: Fold) -> bool:
        """Whether it is urgent: see `Fold.add`."""
        if not self.cuts:
            return fold.add(self.states[0], event)
        state = self._at(event.occurred_at)
        return fold.add(state, event, self._at(original_at(event)) if event.type == REVERSED else None)

    def _at(self, at: int) -> State:
        return self.states[bisect_right(self.cuts, at)]

    @property
    def heads(self) -> list[Head]:
        return [state.head for state in self.states]

    @property
    def months(self) -> dict[int, list[Month]]:
        if len(self.states) == 1:
            return {number: [month] for number, month in self.states[0].months.items()}
        numbers = {number for state in self.states for number in state.months}
        return {number: [state.months.get(number, Month()) for state in self.states] for number in numbers}


def segments_between(cuts: Sequence[int], since: int, until: int) -> range:
    """The numbers of the segments that lie within [since, until)."""
    first = 0 if since == BEGINNING else bisect_left(cuts, since) + 1
    end = len(cuts) + 1 if until == END else bisect_right(cuts, until)
    return range(first, end)
