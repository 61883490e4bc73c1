"""What an evaluation needs besides statement and rules: the desk's terms, and what has been learned of the rules."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.instants import DAY_MS, HOUR_MS, instant
from schemas.zone import Zone
from services.alerts.domain.rules import Desk
from services.alerts.domain.wording import NO_AMOUNTS, NO_LABELS, Amounts, Labels

NEW_RULE_PRECISION = 0.7
"""Of a rule of which no outcome is known yet."""
MOST_DAYS = 400
"""A calendar that knows no working day within so many is not asked on."""
Precision = Mapping[tuple[str, str], float]
"""(rule, branch) → share of relevant outcomes, 0 to 1; an empty branch stands for the whole bank."""


class Changed(NamedTuple):
    """When (ms) and by whom a rule was made what it is."""

    at: int
    actor: str


class Terms(NamedTuple):
    """`works`: whether a day (since 1970, in the desk's zone) is a working day. `precision`: see `learning`.
    `throttled`: rules that raise nothing for now; `paused`: nor is it remembered that they hold, so that they raise it,
    moments included, when a person lets them. `stopped`: rules that met a value of a wrong type; what they have said
    stands, for it cannot be judged. `silent`: rules that say nothing any more (switched off, removed), and why.
    `changed`: rules whose newest change was of what they say. `labels` and `amounts`: how codes and money are told in
    texts."""

    desk: Desk
    works: Callable[[int], bool]
    precision: Precision
    throttled: frozenset[str]
    paused: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    silent: Mapping[str, str] = MappingProxyType({})
    changed: Mapping[str, Changed] = MappingProxyType({})
    labels: Labels = NO_LABELS
    amounts: Amounts = NO_AMOUNTS

    def precision_of(self, rule: str, branch: str) -> float:
        return self.precision.get((rule, branch), self.precision.get((rule, ""), NEW_RULE_PRECISION))

    def changed_since(self, rule: str, at: int) -> str:
        """As the end of a sentence; "" where it was not."""
        changed = self.changed.get(rule)
        return f" as {changed.actor} has changed it" if changed is not None and at < changed.at else ""

    def worth(self, value: float | None, tier: str) -> float:
        """What a value at stake counts in the order of alerts; one that is unknown, what the desk says for the tier."""
        return self.desk.unknown_value.get(tier, 0.0) if value is None else value

    def day_of(self, at: int) -> int:
        return (at + self.offset_ms(at)) // DAY_MS

    def clock(self, at: int) -> str:
        """What the desk's clocks show, to the minute."""
        return instant(at + self.offset_ms(at))[:16].replace("T", " ")

    def working_day_of(self, at: int) -> int:
        """The working day in which it can be worked: on a day off, the next one."""
        day = self.day_of(at)
        return next((one for one in range(day, day + MOST_DAYS) if self.works(one)), day)

    def offset_ms(self, at: int) -> int:
        """How far the desk's clocks are ahead of UTC."""
        return Zone(self.desk.hours.zone).offset(at)


def answer_by(at: int, hours: int, tier: str, terms: Terms, percent: int = 100) -> int:
    """When a time to answer ends, of so many working hours or a share of it; the tier shortens it."""
    left = hours * terms.desk.tier_share.get(tier, 100) * percent * HOUR_MS // 10_000
    opens, closes = terms.desk.hours.opens * HOUR_MS, terms.desk.hours.closes * HOUR_MS
    zone = Zone(terms.desk.hours.zone)
    day, since = divmod(at + zone.offset(at), DAY_MS)
    for _ in range(MOST_DAYS):
        if terms.works(day):
            start = max(since, opens)
            if start + left <= closes:
                return zone.instant(day * DAY_MS + start + left)
            left -= max(0, closes - start)
        day, since = day + 1, 0
    return at + MOST_DAYS * DAY_MS  # a calendar without a working day


def grade(severity: int, tier: str) -> str:
    """A, B or C: how much attention the case deserves."""
    points = severity + {"gold": 2, "profit": 1}.get(tier, 0)
    return "A" if points >= 4 else "B" if points >= 3 else "C"
