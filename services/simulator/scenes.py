"""Turning points in the live traffic of a bank of a few hundred customers: what stories take weeks for, as it happens.
The first quarter of an hour has one each minute, after that there is one every quarter of an hour.

Each is about another customer, none of whom has a story.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count

from schemas.instants import MINUTE_MS
from services.simulator import names
from services.simulator.acts import own_elsewhere, refused_abroad
from services.simulator.bank import CURRENT, SAVINGS, Bank, customer_no, day_at, is_company
from services.simulator.chance import chance
from services.simulator.contacts import call
from services.simulator.customers import customer
from services.simulator.holdings import has_savings
from services.simulator.plan import DayPlan, Planned
from services.simulator.stories import story_of

FIRST_MS, APART_MS, LATER_MS = 20_000, MINUTE_MS, 15 * MINUTE_MS
LASTS_MS = 15 * MINUTE_MS
"""None goes on for longer."""
DENSE, MOST = 15, 500
LARGE = 20_000_000
"""Fen."""
_PLACE, _PLACES = 10**17, 100
"""Far above the ticks of the bustle."""


def scenes(bank: Bank, began_ms: int, first: int, until: int) -> Iterator[Planned]:
    """What happens in them from `first` to before `until` (ms), of those that begin after `began_ms`; in order."""
    planned = [one for scene, at in _begins(began_ms, first, until) for one in _played(bank, scene, at)]
    yield from sorted((one for one in planned if first <= one.at < until), key=lambda one: (one.at, one.number))


def _begins(began_ms: int, first: int, until: int) -> Iterator[tuple[int, int]]:
    """Number and begin of each that may go on at `first`."""
    for scene in count(max(0, (first - LASTS_MS - began_ms) // LATER_MS)):
        later = max(0, scene - DENSE)
        at = began_ms + FIRST_MS + (scene - later) * APART_MS + later * LATER_MS
        if at >= until:
            return
        yield scene, at


def _played(bank: Bank, scene: int, at: int) -> list[Planned]:
    cast = _cast(bank)
    if not cast:
        return []
    plan = DayPlan(bank, customer(bank, cast[scene % len(cast)]), day_at(at), "scene")
    _KINDS[scene % len(_KINDS)](plan, at)
    return [one._replace(place=_PLACE + scene * _PLACES + place) for place, one in enumerate(plan.planned)]


def _fit(bank: Bank, number: int) -> bool:
    return not is_company(number) and story_of(bank, number) is None and customer(bank, number).income > 0


@lru_cache(maxsize=8)
def _cast(bank: Bank) -> tuple[int, ...]:
    """Who plays, one scene after the other; then they begin anew."""
    drawn = chance(bank.seed, "scenes").sample(range(bank.size), min(bank.size, MOST))
    return tuple(number for number in drawn if _fit(bank, number))


def _card_refused_abroad(plan: DayPlan, at: int) -> None:
    for when in (at, at + 5_000):
        refused_abroad(plan, when)
    call(plan, at + 10_000, "card_declined", "unsolved")


def _complaint(plan: DayPlan, at: int) -> None:
    number = plan.customer.number
    opened = {"case_id": f"CS{number}s{at // 1000}", "customer_no": customer_no(number)}
    plan.event(at, "case.opened", "call_center", opened, attributes={"case_kind": "complaint", "reason": "fee"})


def _money_leaves(plan: DayPlan, at: int) -> None:
    for when, account in ((at, SAVINGS), (at + 5_000, CURRENT)):
        if account != SAVINGS or has_savings(plan.customer):
            plan.pay(
                when,
                "transfer.sent",
                "mobile",
                0,
                share=0.8,
                account=account,
                counterparty=own_elsewhere(plan.customer),
            )


def _large_sum(plan: DayPlan, at: int) -> None:
    """More than most people receive in a year."""
    sale = {"name": "房产交易", "account_no": f"86{plan.customer.number:08d}", "bank": names.OTHER_BANKS[0]}
    amount = max(LARGE, plan.customer.income * plan.random.randint(10, 20))
    plan.receive(at, "transfer.received", "corebank", amount, counterparty=sale)


_KINDS: tuple[Callable[[DayPlan, int], None], ...] = (_card_refused_abroad, _complaint, _money_leaves, _large_sum)
