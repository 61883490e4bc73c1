"""What a customer holds that is worth money: accounts, term deposits, wealth; each now and at two days of the past."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.empty import balance_now, emptied_on, empty_since
from services.profile.domain.customers.parts import Part, beginnings, is_closed
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.months import MonthPart, ReadableMonth, ReadableState, joined
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import Entry, Thing

PAST_DAYS = (30, 90)
_BOUGHT, _SOLD = "wealth_bought:", "wealth_sold:"


class Holding(msgspec.Struct, frozen=True):
    """`kind` is account, term_deposit or wealth (at cost). `minor` is None where nobody told the balance or the
    amount, and `home_minor` then, too, and where no rate is known."""

    subject: str
    kind: str
    minor: int | None
    currency: str
    home_minor: int | None


class HoldingOverTime(NamedTuple):
    holding: Holding
    ago_30: int | None
    ago_90: int | None


def money_told(value: Any) -> tuple[int, str] | None:
    """Minor units and currency of an entry's value: an event's own money stands as a list, an attribute's as a map."""
    if isinstance(value, dict):
        return value["minor"], value["currency"]
    return (value[0], value[1]) if isinstance(value, list) else None


def whole_of(parts: Iterable[int | None]) -> int | None:
    """Their sum; None where one of them is unknown, for a part of the money is not what there is."""
    total = 0
    for one in parts:
        if one is None:
            return None
        total += one
    return total


def of_parts(customer: Customer, reference: Reference, now: int) -> Iterator[HoldingOverTime]:
    seen: set[str] = set()
    today, begun = reference.day_of(now), beginnings(customer.parts)
    past = [now // DAY_MS - ago for ago in PAST_DAYS]  # of UTC, as the days are by which money that moved was counted
    for part in customer.parts:
        kind = part.kind
        if kind not in ("account", "contract") or part.subject in seen or not (part.counts and part.current):
            continue
        seen.add(part.subject)
        if kind == "account" and part.is_untold:
            yield HoldingOverTime(Holding(part.subject, "account", None, reference.home_currency, None), None, None)
            continue
        thing = part.things.get(part.subject)
        if thing is None:
            continue
        if kind == "account":
            held = _account(begun[part.subject], thing, customer.state, reference, today, past)
        else:
            held = _contract(part, thing, reference, today, past)
        if held is not None:
            yield held


def of_wealth(customer: Customer, reference: Reference, now: int) -> Iterator[HoldingOverTime]:
    """At cost: what was bought less what was sold within the months kept, never below nothing."""
    today, months = now // DAY_MS, _months_of_what_is_held(customer)  # of UTC, as the days are by which it was counted
    counted = frozenset[str]().union(*(month.totals for month in months.values()))
    for series in sorted(name for name in counted if name.startswith(_BOUGHT)):
        currency = series.removeprefix(_BOUGHT)
        held = [max(total, 0) for total in _bought(months, currency, today)]
        if any(held):
            home = [reference.home_minor(minor, currency, reference.day_of(now)) for minor in held]
            yield HoldingOverTime(Holding("wealth", "wealth", held[0], currency, home[0]), *home[1:])


def _bought(months: Mapping[int, ReadableMonth], currency: str, today: int) -> list[int]:
    """Less what was sold, until today and until each of the days of the past."""
    bought, sold = _BOUGHT + currency, _SOLD + currency
    totals = [0, 0, 0]
    for month in months.values():
        if bought not in month.totals and sold not in month.totals:
            continue
        for day, series in chain.from_iterable([days.items() for days in month.days_by_part]):
            if bought in series or sold in series:
                plus, minus = series.get(bought), series.get(sold)
                net = (plus.total if plus else 0) - (minus.total if minus else 0)
                for place, until in enumerate((today, today - PAST_DAYS[0], today - PAST_DAYS[1])):
                    if day <= until:
                        totals[place] += net
    return totals


def _months_of_what_is_held(customer: Customer) -> Mapping[int, ReadableMonth]:
    """The whole past of every subject that is linked now: what was bought before the link began is held, what was
    bought under a link that has ended is not."""
    parts = [part for part in customer.parts if part.counts]
    if all(part.current and part.before is None for part in parts):
        return customer.state.months
    held = {part.subject: part for part in parts if part.current}
    months: dict[int, list[MonthPart]] = {}
    for part in held.values():
        for flows in filter(None, (part.before, part.flows)):
            for number, told in flows.months.items():
                months.setdefault(number, []).extend(told)
    return {number: joined(told) for number, told in months.items()}


def _account(
    part: Part, thing: Thing, state: ReadableState, reference: Reference, today: int, past: Iterable[int]
) -> HoldingOverTime | None:
    balance, now = thing.get("balance"), balance_now(thing)
    if balance is None or now is None:
        return _closed_untold(part, thing, reference, past)
    then = [_balance_at(part, thing, balance, state, day) for day in past]
    ago = [None if one is None else reference.home_minor(max(one[0], 0), one[1], today) for one in then]
    held, currency = max(now[0], 0), now[1]
    home = reference.home_minor(held, currency, today)
    return HoldingOverTime(Holding(part.subject, "account", held, currency, home), *ago)


def _closed_untold(part: Part, thing: Thing, reference: Reference, past: Iterable[int]) -> HoldingOverTime | None:
    """What lay on it before it was closed nobody told."""
    emptied = emptied_on(thing)
    if emptied is None or not part.moved_money:
        return None
    ago = [0 if emptied <= day else None for day in past]
    return HoldingOverTime(Holding(part.subject, "account", 0, reference.home_currency, 0), *ago)


def _balance_at(part: Part, thing: Thing, balance: Entry, state: ReadableState, day: int) -> Any:
    """[minor, currency] at the close of the day. Before its first booking under the link an account had what lay there
    when the link began; nothing, if it had none before and was opened within the months kept."""
    emptied, nothing = emptied_on(thing), (0, balance.value[1])
    if emptied is not None and day >= emptied:
        is_booked = not is_closed(thing)
        return (is_booked and _closing(state.months, part.subject, day, emptied + 1)) or nothing
    if balance.stamp[0] // DAY_MS <= day:
        return balance.value
    opening = part.opening
    known = _closing(state.months, part.subject, day, part.from_at // DAY_MS if opening is not None else 0)
    if known is None and opening is not None:
        return opening.value
    return known or (None if empty_since(part, state.head, day + 1) is None else nothing)


def _closing(months: Mapping[int, ReadableMonth], account: str, day: int, since: int) -> Any:
    """The last closing balance at or before the day, and none from before `since`: [minor, currency], or None.
    `months`: the newest first."""
    newest = month_of(day * DAY_MS)
    for number, month in months.items():
        closings = month.closing.get(account) if number <= newest else None
        if closings:
            found = max([known for known in closings if since <= known <= day], default=None)
            if found is not None:
                return closings[found].value
    return None


def _contract(
    part: Part, thing: Thing, reference: Reference, today: int, past: Sequence[int]
) -> HoldingOverTime | None:
    """A term deposit counts from its opening until the day it matures: from then its money stands on an account, or
    its source tells of a new maturity."""
    amount, opened = thing.get("amount"), thing.get("opened_at")
    if amount is None and opened is None:
        return None
    minor, currency = (None, reference.home_currency) if amount is None else amount.value
    begins = opened.value // DAY_MS if opened is not None else -1
    matures, given_up = _maturity(thing), _given_up(part)
    on = [given_up is None and (opened is None or reference.day_of(opened.value) <= today) and today < matures]
    on += [begins <= day < (matures if given_up is None else min(matures, given_up)) for day in past]
    if not any(on):
        return None
    held = [minor if lasts else 0 for lasts in on]
    home = [None if one is None else reference.home_minor(one, currency, today) for one in held]
    return HoldingOverTime(Holding(part.subject, "term_deposit", held[0], currency, home[0]), home[1], home[2])


def _maturity(thing: Thing) -> int:
    matures = thing.get("matures_on")
    return day_number(date.fromisoformat(matures.value)) if matures is not None else 1 << 40


def _given_up(part: Part) -> int | None:
    """On which day (UTC)."""
    mark = f"product:{part.subject}/"
    closed = [thing["status"].stamp[0] // DAY_MS for name, thing in part.things.items()
              if name.startswith(mark) and is_closed(thing)]  # fmt: skip
    return min(closed, default=None)
