"""Months of several subjects as one: the same as if they had been folded into one state."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from services.profile.domain.states.combine import join_all, join_series
from services.profile.domain.states.months import JoinedMonth, MonthPart, OtherShape, SealedMonth, last_closings
from services.profile.domain.states.state import Month
from tests.profile.domain.happenings import fold_of, histories
from tests.profile.domain.states.canonical import combine_all

FIELDS = ("totals", "closing", "parties", "banks", "names", "contacts")


_unseal = msgspec.msgpack.Decoder(SealedMonth).decode


def sealed(month: Month) -> SealedMonth:
    return _unseal(msgspec.msgpack.encode(month))


@settings(max_examples=50, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_sealed_months_join_to_what_their_states_combine_to(events: list[ChannelEvent], chance: Random) -> None:
    dealt: list[list[ChannelEvent]] = [[], [], []]
    for event in events:
        if not event.id.startswith("again"):  # of one movement all is told of one subject
            chance.choice(dealt).append(event)
    states = [fold_of(group) for group in dealt]
    for number, month in combine_all(states).months.items():
        parts = [state.months[number] for state in states if number in state.months]
        mixed: list[MonthPart] = [sealed(part) if chance.random() < 0.5 else part for part in parts]
        joined = JoinedMonth(mixed)
        assert {name: getattr(joined, name) for name in FIELDS} == {name: getattr(month, name) for name in FIELDS}
        assert join_all(joined.days_by_part, join_series) == month.days
        assert JoinedMonth(mixed).last_closings() == last_closings(month)


def test_a_month_of_another_shape_is_said_to_be_one() -> None:
    with pytest.raises(OtherShape):
        _ = JoinedMonth([SealedMonth(days=msgspec.Raw(b"\xc3"))]).days_by_part
