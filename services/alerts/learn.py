"""USE CASE: outcomes teach. A rule that is wrong too often is throttled; one that a burst has paused goes on when a
person enables it; one that meets values of a wrong type is stopped. Whoever answers for the rule is told once when that
begins and once when it ends."""

from collections.abc import Mapping, Sequence

from schemas.instants import DAY_MS, HOUR_MS
from services.alerts.current import Current
from services.alerts.domain.bursts import DAYS_COMPARED
from services.alerts.domain.learning import Learned, Part, Tally
from services.alerts.domain.notices import Matter, Notice, in_force, notice, paused
from services.alerts.ports import AlertStore, RuleSwitch


async def heed(store: AlertStore, current: Current) -> None:
    """Takes up which rules other workers have paused and people have switched. Raises `Unavailable`."""
    switches = await store.switches()
    enabled_at = {one.rule: one.at for one in switches if one.enabled}
    current.pause(paused(await store.notices(), enabled_at))
    current.bursts.spare({rule: current.terms.day_of(at) for rule, at in enabled_at.items()})


PAST_READ_EVERY_MS = HOUR_MS
"""What began on the days before changes little any more: only some of it is withdrawn."""
LEARNED_BY: Sequence[Part] = ("rule", "branch")
OUTCOMES_A_SECOND = 10_000
"""So many are read at most, on the average: of millions, the newest teach little that the others do not."""
Begun = Mapping[tuple[str, int], int]


class Learn:
    def __init__(self, store: AlertStore, current: Current) -> None:
        self._store, self._current = store, current
        self._past: Begun = {}
        self._past_of: tuple[object, ...] = ()
        self._learned: Sequence[Learned] = ()
        self._learned_of: object = None
        self._learned_for = range(0)

    async def apply(self, now: int) -> Sequence[Notice]:
        """Returns the notices that it has written. Raises `Contended`, `Unavailable`."""
        switches = {one.rule: one for one in await self._store.switches() if one.enabled}
        found = self._current.learn(await self._outcomes(switches, now))
        await self._compare_days(now)
        news = self._news(await self._store.notices(), found, switches, now)
        if not news:
            return ()
        async with self._store.working() as tx:
            # asked again: of several workers, one tells
            news = self._news(await tx.notices(), found, switches, now)
            await tx.notify(news)
        return news

    async def _outcomes(self, switches: Mapping[str, RuleSwitch], now: int) -> Sequence[Learned]:
        """Read anew after a rest that is the longer, the more there are; at once where somebody enabled a rule."""
        if now not in self._learned_for or self._learned_of != switches:
            self._learned, self._learned_of = await self._store.learned(LEARNED_BY), switches
            many = sum(one.closed for one in self._learned)
            self._learned_for = range(now, now + many * 1000 // OUTCOMES_A_SECOND)
        return self._learned

    async def _compare_days(self, now: int) -> None:
        """Counts how often rules of absence have begun to hold, day by day."""
        terms = self._current.terms
        today, offset = terms.day_of(now), terms.offset_ms(now)
        rules = sorted(rule.id for rule in self._current.rules.rules if rule.declared.depends_on)
        midnight = today * DAY_MS - offset
        if self._past_of != (past_of := (today, offset, rules, now // PAST_READ_EVERY_MS)):
            begun = await self._store.begun_by_day(rules, midnight - DAYS_COMPARED * DAY_MS, offset)
            self._past = {(rule, day): count for (rule, day), count in begun.items() if day < today}
            self._past_of = past_of
        begun = await self._store.begun_by_day(rules, midnight, offset)
        self._current.bursts.learn({**self._past, **begun}, today)

    def _news(
        self, newest: Sequence[Notice], found: Mapping[str, Tally], switches: Mapping[str, RuleSwitch], now: int
    ) -> list[Notice]:
        stands, rules = in_force(newest), self._current.rules
        news = [
            notice(rules, rule, "throttled", now, began=True, seen=tally.not_relevant, among=tally.closed)
            for rule, tally in found.items() if (rule, "throttled") not in stands
        ]  # fmt: skip
        news += [
            notice(rules, rule, "stopped", now, began=True, note=why)
            for rule, why in self._current.stopped.items() if (rule, "stopped") not in stands
        ]  # fmt: skip
        for (rule, matter), began in stands.items():
            said = switches.get(rule)
            if said is not None and said.at > began.at:
                news.append(notice(rules, rule, matter, now, began=False, actor=said.actor, note=said.note))
            elif self._is_over(rule, matter, began, found):
                news.append(notice(rules, rule, matter, now, began=False))
        return news

    def _is_over(self, rule: str, matter: Matter, began: Notice, found: Mapping[str, Tally]) -> bool:
        """A stopped rule is over only with a changed text: another worker may have met what stopped it."""
        if matter == "stopped":
            return self._current.changed_at(rule) > began.at
        return matter == "throttled" and rule not in found
