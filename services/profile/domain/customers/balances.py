"""The balance of all accounts over the days, in the home currency: what it was, its mean, its spread, its lowest."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from schemas.instants import DAY_MS
from services.profile.domain.customers.closings import Floor, Past, past_of
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.empty import balance_now
from services.profile.domain.customers.parts import Part, beginnings
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.months import LastClosing, ReadableState, last_closings
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
        """None where one of the days is not known: it may have been the lowest."""
        if self.at(self.today - days + 1) is None:
            return None
        return min([total for _, total in self._last(days)])


class _InHome(NamedTuple):
    """A `Past` in minor units of the home currency."""

    known: list[tuple[int, int]]
    since: int | None


class Courses(NamedTuple):
    """Of all accounts, and of those that money is spent from: savings are not among them. `unknown`: some present
    balance was never told or has no rate, and is in none of them."""

    of_all: Course
    of_current: Course
    unknown: bool


def courses_of(customer: Customer, reference: Reference, today: int) -> Courses:
    """`today` counts UTC days, as closing balances do. A total is unknown before the first day that is known of each
    account: one that was opened then, or had something when its link began, has no such day."""
    accounts, beginning = _accounts(customer), beginnings(customer.parts)
    closings, floor = _closings(customer.state, accounts, today), _floor(today)
    found = {
        account: _in_home(past_of(part, beginning[account], closings[account], customer.state, floor), reference, today)
        for account, part in accounts.items()
    }
    of_all = _course(found, today)
    current = {account: found[account] for account, part in accounts.items() if _is_current(part)}
    of_current = of_all if len(current) == len(accounts) else _course(current, today)
    return Courses(of_all, of_current, any(_is_unknown(part, reference, today) for part in accounts.values()))


def _is_unknown(part: Part, reference: Reference, today: int) -> bool:
    now = balance_now(part.things.get(part.subject, {}))
    return part.is_untold if now is None else reference.home_minor(*now, today) is None


def _in_home(past: Past, reference: Reference, today: int) -> _InHome:
    """Nothing is known, and nothing unknown, of an account in a currency without a rate."""
    homes = [(day, reference.home_minor(minor, currency, today)) for day, (minor, currency) in past.known]
    known = [(min(day, today), home) for day, home in homes if home is not None]
    return _InHome(known, past.since if known or not homes else None)


def _course(accounts: Mapping[str, _InHome], today: int) -> Course:
    points = sorted([(day, account, home) for account, past in accounts.items() for day, home in past.known])
    since = max([past.since for past in accounts.values() if past.since is not None], default=None)
    return Course(_known_since(since, _summed(points)), today)


def _known_since(day: int | None, steps: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    if day is None or not steps or steps[0][0] >= day:
        return steps
    at = bisect_right(steps, day, key=_day) - 1
    return ((day, steps[at][1]), *steps[at + 1 :])


def _day(step: tuple[int, int]) -> int:
    return step[0]


def _floor(today: int) -> Floor:
    """The months and days that are looked at."""
    return Floor(month_of((today - DAYS_LOOKED_AT) * DAY_MS) - 1, today - DAYS_LOOKED_AT - 31)


def _is_current(part: Part) -> bool:
    kind = part.things.get(part.subject, {}).get("account_kind")
    return kind is None or kind.value not in _SAVED


def _accounts(customer: Customer) -> dict[str, Part]:
    return {part.subject: part for part in customer.parts if part.kind == "account" and part.counts and part.current}


def _closings(state: ReadableState, accounts: Iterable[str], today: int) -> dict[str, list[LastClosing]]:
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
