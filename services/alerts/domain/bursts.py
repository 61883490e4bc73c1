"""A burst of the same absence is more likely a file that is late than as many customers: the rule pauses, and a person
says which it was."""

from collections import Counter
from collections.abc import Mapping

from services.alerts.domain.rules import Desk

DAYS_COMPARED = 28


class Bursts:
    """How often rules of absence have begun to hold, by bank day. What the store knows is read now and then; between
    two readings this process counts on."""

    def __init__(self) -> None:
        self._day, self._today = -1, Counter[str]()
        self._greatest: Mapping[str, int] = {}
        self._spared: Mapping[str, int] = {}

    def spare(self, days: Mapping[str, int]) -> None:
        """Rules that a person has enabled, with the day: on that day nothing that they say is a burst."""
        self._spared = days

    def learn(self, days: Mapping[tuple[str, int], int], today: int) -> None:
        """`days`: (rule, day) → alerts in which it began to speak."""
        self._day = today
        self._today = Counter({rule: count for (rule, day), count in days.items() if day == today})
        greatest: dict[str, int] = {}
        for (rule, day), count in days.items():
            if day < today:
                greatest[rule] = max(count, greatest.get(rule, 0))
        self._greatest = greatest

    def count(self, began: Counter[str], day: int) -> None:
        """What tells of a day before the one that is counted adds nothing."""
        if day > self._day:
            self._day, self._today = day, Counter()
        if day == self._day:
            self._today += began

    def seen(self, rule: str, day: int) -> int:
        return self._today[rule] if day == self._day else 0

    def usual(self, rule: str) -> int:
        """The most in any one day of the last weeks."""
        return self._greatest.get(rule, 0)

    def is_one(self, rule: str, day: int, seen: int, desk: Desk) -> bool:
        return self._spared.get(rule) != day and seen > max(desk.burst_from, desk.burst_times * self.usual(rule))
