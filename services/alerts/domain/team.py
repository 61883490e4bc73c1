"""How the work of several people stands: what is open with each of them, and what came of what they closed."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.instants import millis
from schemas.zone import Zone
from services.alerts.domain.alert import Result, State

BEGUN: tuple[State, ...] = ("claimed", "contacted")
PLANNED: tuple[State, ...] = ("planned", "snoozed")
ANSWERABLE: tuple[State, ...] = ("routed", *BEGUN)
"""What waits, is planned or put off is late for nobody."""


class Load(NamedTuple):
    """So many open alerts of an owner are in one state, and `late` of them past their time."""

    owner: str
    state: State
    many: int
    late: int


class Closed(NamedTuple):
    """So many alerts an owner closed with one result, and what was sold by them: currency → minor units."""

    owner: str
    result: Result
    many: int
    amounts: Mapping[str, int]


class Member(NamedTuple):
    """Of one person or queue; of all together, `owner` is empty."""

    owner: str
    loads: list[Load]
    closed: list[Closed]

    def open(self, states: Collection[State] = ()) -> int:
        return sum(one.many for one in self.loads if not states or one.state in states)

    @property
    def overdue(self) -> int:
        return sum(one.late for one in self.loads if one.state in ANSWERABLE)

    def ended(self, *results: Result) -> int:
        return sum(one.many for one in self.closed if one.result in results or not results)

    @property
    def relevant(self) -> float | None:
        """The share of what was closed, 0 to 1."""
        return 1 - self.ended("not_relevant") / self.ended() if self.ended() else None

    @property
    def amounts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in self.closed:
            for currency, minor in one.amounts.items():
                found[currency] = found.get(currency, 0) + minor
        return dict(sorted(found.items()))


def members(named: Iterable[str], loads: Iterable[Load], closed: Iterable[Closed]) -> list[Member]:
    """Of all who are `named`, and of whoever else has anything; all together come last, without a name."""
    loads, closed = list(loads), list(closed)
    owners = {*named, *(one.owner for one in loads), *(one.owner for one in closed)}
    of_each = [
        Member(owner, [one for one in loads if one.owner == owner], [one for one in closed if one.owner == owner])
        for owner in sorted(owners)
    ]
    return [*of_each, Member("", loads, closed)]


def team_of(manager: str, superiors: Mapping[str, str]) -> tuple[str, ...]:
    """The manager, and everybody whose superior, or superior's superior, he or she is."""
    team = [manager]
    for one in team:
        team += [owner for owner, superior in superiors.items() if superior == one and owner not in team]
    return tuple(sorted(team))


def month(first: datetime, zone: str) -> tuple[int, int]:
    """From its first instant until that of the next one (ms), by the clocks of a place. `first`: its first day."""
    start = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    following = (start + timedelta(days=31)).replace(day=1)
    return Zone(zone).instant(millis(start)), Zone(zone).instant(millis(following))
