"""The balance of all accounts over the days, in the home currency: what it was, its mean, its spread, its lowest."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.parts import Part, beginnings
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.months import Counted, LastClosing, last_closings
from services.profile.domain.states.periods import month_of

DAYS_LOOKED_AT, DAYS_BY_DAY = 365, 90
_SAVED = ("savings", "margin")


class Course(NamedTuple):
    """`steps`: (day, total from that day on) in minor units, ascending; `today` is the last day. The total before the
    first step is unknown."""

    steps: tuple[tuple[int, int], ...]
    today: int

    @property
    def now(self) -> int:
        return self.steps[-1][1] if self.steps else 0

    def at(self, day: int) -> int | None:
        """At the close of the day; None when it is not known."""
        found = None
        for begins, total in self.steps:
            if begins > day:
                break
            found = total
        return found

    def until(self, day: int) -> "Course":
        """As it was at the close of an earlier day."""
        return Course(tuple([step for step in self.steps if step[0] <= day]), day)

    def days_since_negative(self) -> int | None:
        """0 while it is; None when it never was within a year."""
        end = self.today + 1
        for begins, total in reversed(self.steps):
            if total < 0:
                return self.today - end + 1
            end = begins
        return None

    def _last(self, days: int) -> list[tuple[int, int]]:
        """(how many days, total) within the last `days` days, today included, the latest first."""
        oldest, end = self.today - days + 1, self.today + 1
        held = []
        for begins, total in reversed(self.steps):
            held.append((end - (begins if begins > oldest else oldest), total))
            end = begins
            if begins <= oldest:
                break
        return held

    def mean(self, days: int) -> int | None:
        """Of the days that are known."""
        return self.spread(days)[0]

    def spread(self, days: int) -> tuple[int, int] | tuple[None, None]:
        """Mean and standard deviation of the daily balance, rounded down, of the days that are known."""
        known = added = squares = 0
        for length, total in self._last(days):
            known += length
            added += length * total
            squares += length * total * total
        if not known:
            return None, None
        mean = added // known
        # sum of (total - mean)² over the days
        around = squares - 2 * mean * added + known * mean * mean
        return mean, int((around // known) ** 0.5)

    def lowest(self, days: int) -> int | None:
        return min([total for _, total in self._last(days)], default=None)


class Courses(NamedTuple):
    """Of all accounts, and of those that money is spent from: savings are not among them. `unknown`: some present
    balance was never told or has no rate, and is in none of them."""

    of_all: Course
    of_current: Course
    unknown: bool


def courses_of(customer: Customer, reference: Reference, today: int) -> Courses:
    """`today` counts UTC days, as closing balances do. An account that was opened later than the first step counts
    nothing before its first booking; one that was linked with what lay there counts that before it."""
    accounts, beginning = _accounts(customer), beginnings(customer.parts)
    closings = _closings(customer.state, accounts, today)
    points: list[tuple[int, str, int]] = []
    unknown = False
    for account, part in accounts.items():
        begun, balance = beginning[account], part.things.get(account, {}).get("balance")
        known = _under(begun, closings[account])
        if balance is None:
            unknown |= part.is_untold
        else:
            minor, currency = balance.value
            unknown |= reference.home_minor(minor, currency, today) is None
            known = known or [(max(balance.stamp[0], begun.from_at) // DAY_MS, balance.value)]
        known = _before(begun, known, customer.state, today) + known
        for day, (minor, currency) in known:
            home = reference.home_minor(minor, currency, today)
            if home is not None:
                points.append((day if day < today else today, account, home))
    points.sort()
    of_all = Course(_summed(points), today)
    current = {account for account, part in accounts.items() if _is_current(part)}
    if len(current) == len(accounts):
        return Courses(of_all, of_all, unknown)
    of_current = Course(_summed([point for point in points if point[1] in current]), today)
    return Courses(of_all, of_current, unknown)


def _under(part: Part, closings: list[LastClosing]) -> list[LastClosing]:
    """Without those from before the link, where it began with what lay there then."""
    since = part.from_at // DAY_MS
    return closings if part.opening is None else [one for one in closings if one[0] >= since]


def _before(part: Part, known: list[LastClosing], state: Counted, today: int) -> list[LastClosing]:
    """What lay on the account before the first day that is known: it may have slept for longer than is looked at, or
    have been linked since."""
    oldest, first = month_of((today - DAYS_LOOKED_AT) * DAY_MS) - 1, min(known, default=(0, None))[0]
    if month_of(first * DAY_MS) <= oldest:
        return []
    floor = today - DAYS_LOOKED_AT - 31  # no closing that is looked at is older
    if any(head.count and month_of(head.first_at) < oldest for head in part.flows.heads):
        for number, month in state.months.items():
            last = last_closings(month).get(part.subject) if number < oldest else None
            if last is not None:
                return [(floor, last[1])]
    opening = part.opening if part.from_at // DAY_MS <= first else None
    return [] if opening is None else [(floor, opening.value)]


def _is_current(part: Part) -> bool:
    kind = part.things.get(part.subject, {}).get("account_kind")
    return kind is None or kind.value not in _SAVED


def _accounts(customer: Customer) -> dict[str, Part]:
    return {part.subject: part for part in customer.parts if part.kind == "account" and part.counts and part.current}


def _closings(state: Counted, accounts: Iterable[str], today: int) -> dict[str, list[LastClosing]]:
    """Of the last months every day's, before them each month's last: enough for a mean over a year."""
    by_day = month_of((today - DAYS_BY_DAY) * DAY_MS)
    oldest = month_of((today - DAYS_LOOKED_AT) * DAY_MS) - 1
    found: dict[str, list[LastClosing]] = {account: [] for account in accounts}
    for number, month in state.months.items():
        if number >= by_day:
            for account, closing in month.closing.items():
                if account in found:
                    found[account] += [(day, entry.value) for day, entry in closing.items()]
        elif number >= oldest:
            for account, last in last_closings(month).items():
                if account in found:
                    found[account].append(last)
    return found


def _summed(points: list[tuple[int, str, int]]) -> tuple[tuple[int, int], ...]:
    held: dict[str, int] = {}
    total = 0
    steps: dict[int, int] = {}
    for day, account, minor in points:
        total += minor - held.get(account, 0)
        held[account] = minor
        steps[day] = total
    return tuple(steps.items())
