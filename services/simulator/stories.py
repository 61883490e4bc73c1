"""The planted truth: which customers have a story, of which kind, and when. What it looks like is `story_days`.

In every 150 customers each kind happens to one; everybody else behaves as on any other day.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from services.simulator.bank import Bank, customer_no, is_company, start_of
from services.simulator.chance import chance

Kind = Literal[
    "drifting_to_competitor",
    "salary_redirected",
    "complaint_then_closed",
    "near_threshold_rising",
    "bonus_arriving",
    "term_deposit_maturing",
    "card_declined_abroad",
    "manager_leaving",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
BLOCK = 150


class Timeline(msgspec.Struct, frozen=True):
    """Days from the begin: the signals lie within `signal` (first and last), the money or customer is gone on `loss`.

    `begins` is how many days before the anchor the story may begin, at least and at most.
    """

    begins: tuple[int, int]
    signal: tuple[int, int]
    loss: int


TIMELINES: dict[Kind, Timeline] = {
    "drifting_to_competitor": Timeline((10, 60), (0, 40), 55),
    "salary_redirected": Timeline((20, 70), (0, 45), 75),
    "complaint_then_closed": Timeline((5, 40), (0, 20), 30),
    "near_threshold_rising": Timeline((60, 120), (0, 150), 180),
    "bonus_arriving": Timeline((3, 25), (0, 14), 21),
    "term_deposit_maturing": Timeline((5, 40), (0, 30), 33),
    "card_declined_abroad": Timeline((2, 30), (0, 4), 30),
    "manager_leaving": Timeline((5, 40), (0, 30), 45),
}


class Story(msgspec.Struct, frozen=True):
    """`signal_from` to `signal_until` is when help is still possible; `loss_on` is when the bank loses (for
    `near_threshold_rising`: when the chance is gone). The instants (ms UTC) are where those days begin and, of the last
    day on which help is possible, end."""

    kind: Kind
    number: int
    customer_no: str
    begins: date
    signal_from: date
    signal_until: date
    loss_on: date
    signal_from_ms: int
    signal_until_ms: int
    loss_ms: int


def stories(bank: Bank) -> Iterator[Story]:
    """All stories of the bank, by customer."""
    for block in range(-(-bank.size // BLOCK)):
        yield from sorted(_block(bank, block).values(), key=lambda story: story.number)


def story_of(bank: Bank, number: int) -> Story | None:
    return _block(bank, number // BLOCK).get(number)


@lru_cache(maxsize=10_000)
def _block(bank: Bank, block: int) -> dict[int, Story]:
    random = chance(bank.seed, "stories", block)
    first = block * BLOCK
    people = [number for number in range(first, min(first + BLOCK, bank.size)) if not is_company(number)]
    chosen = random.sample(people, min(len(KINDS), len(people)))
    planted = {}
    for kind, number in zip(KINDS, chosen, strict=False):
        timeline = TIMELINES[kind]
        planted[number] = _story(kind, number, bank.anchor - timedelta(days=random.randint(*timeline.begins)))
    return planted


def _story(kind: Kind, number: int, begins: date) -> Story:
    timeline = TIMELINES[kind]
    signal_from, signal_until = (begins + timedelta(days=days) for days in timeline.signal)
    loss_on = begins + timedelta(days=timeline.loss)
    return Story(
        kind=kind,
        number=number,
        customer_no=customer_no(number),
        begins=begins,
        signal_from=signal_from,
        signal_until=signal_until,
        loss_on=loss_on,
        signal_from_ms=start_of(signal_from),
        signal_until_ms=start_of(signal_until + timedelta(days=1)),
        loss_ms=start_of(loss_on),
    )
