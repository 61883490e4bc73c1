"""Customers who become one and part again, over and over: what a chaos run asks of alerts at rest holds each time."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import ProfileChange
from tests.alerts.test_evaluate import SAID, Service
from tests.alerts.told import HOUR, NOON, statement
from tests.chaos.alerts_verdict import differences

WORKED_ON = "(claimed) stands without a cause"  # it is left to whoever works on it


class Turn(NamedTuple):
    """What is true from then on. `one` and `other` of each while they stand alone, `other` of both while they are one.
    `hours` since the turn before; `backwards`: the second of the two is told of first; `claims`: somebody then takes up
    whatever is open."""

    are_one: bool
    one: Mapping[str, Any]
    other: Mapping[str, Any]
    hours: int
    backwards: bool
    claims: bool


TURNS = st.lists(
    st.builds(
        Turn, st.booleans(), st.sampled_from(SAID), st.sampled_from(SAID), st.sampled_from([1, 30]),
        st.booleans(), st.just(False) | st.booleans(),
    ),
    min_size=2, max_size=8,
)  # fmt: skip


def statements_of(turns: Sequence[Turn]) -> list[list[ProfileChange]]:
    """Of each turn; who is gone says nothing more until it stands alone again."""
    told, at, were_one = list[list[ProfileChange]](), NOON, False
    for version, turn in enumerate(turns, 1):
        at += turn.hours * HOUR
        if turn.are_one:
            said = [statement(version, "b", at, merged=["a"], **turn.other)]
            if not were_one:
                said.insert(0, statement(version, "a", at, kind="gone", aliases=["b"]))
        else:
            said = [statement(version, "a", at, **turn.one), statement(version, "b", at, **turn.other)]
        told.append(said[::-1] if turn.backwards else said)
        were_one = turn.are_one
    return told


@given(turns=TURNS)
async def test_an_alert_stands_for_what_the_last_statements_say_however_often_two_become_one(
    turns: Sequence[Turn],
) -> None:
    service, last = Service(), dict[str, ProfileChange]()
    for turn, said in zip(turns, statements_of(turns), strict=True):
        for change in said:
            await service.takes(change)
            last[change.customer_id] = change
        alerts = {one.alert_id: one for one in await service.alerts()}
        async with service.store.working() as tx:
            standings = await tx.lock(sorted(last))
        for customer_id, change in last.items():
            found = differences(change, standings[customer_id], alerts, service.current.rules)
            assert [one for one in found if WORKED_ON not in one] == []
        if turn.claims:
            for customer_id in last:
                await service.claims(customer_id)
