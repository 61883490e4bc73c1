"""The alert store in the memory of one process: for trying out, and for tests of everything above it."""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from schemas.instants import DAY_MS
from services.alerts.adapters.memory_tables import ROOM, Tables, inbox_order, matches
from services.alerts.adapters.memory_transaction import MemoryTransaction
from services.alerts.adapters.rows import alert_of, edition_of, notice_of, standing_of
from services.alerts.domain.alert import Alert, Result
from services.alerts.domain.editions import Edition
from services.alerts.domain.learning import PARTS, Learned, Part
from services.alerts.domain.notices import Notice
from services.alerts.domain.standing import Standing
from services.alerts.domain.team import Closed, Load
from services.alerts.ports import AlertFilter, RuleSwitch
from services.memory.stream import MemoryStreamStore


class MemoryAlertStore(MemoryStreamStore):
    """See `AlertStore`."""

    _tables: Tables

    def __init__(self) -> None:
        self._tables = Tables()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[MemoryTransaction]:
        async with self._tables.turn() as tables:
            yield MemoryTransaction(tables)

    async def alert(self, alert_id: str) -> Alert | None:
        async with self._tables.turn() as tables:
            return await MemoryTransaction(tables).alert(alert_id)

    async def find(self, where: AlertFilter, after: tuple[float, str] | None, limit: int) -> list[Alert]:
        async with self._tables.turn() as tables:
            spoke = {row.alert_id for row in tables.rules.by("rule", where.rule)}
            found = sorted((row for row in tables.alerts.rows() if matches(row, where, spoke)), key=inbox_order)
            last = (-after[0], after[1]) if after else None
            return [alert_of(row.body) for row in found if last is None or inbox_order(row) > last][:limit]

    async def standing(self, customer_id: str) -> Standing | None:
        async with self._tables.turn() as tables:
            row = tables.customers.get(customer_id)
            return None if row is None else standing_of(row.standing)

    async def waiting(self, limit: int, full: Collection[str] = ()) -> list[Alert]:
        async with self._tables.turn() as tables:
            found = [row for row in tables.alerts.rows() if row.state == "new" and row.waiting in ROOM]
            wanted = [row for row in found if row.owner not in full]
            return [alert_of(row.body) for row in sorted(wanted, key=inbox_order)[:limit]]

    async def due(self, now: int, limit: int) -> list[str]:
        async with self._tables.turn() as tables:
            ripe = [row for row in tables.alerts.rows() if row.is_open and 0 < row.look_at <= now]
            ordered = sorted(ripe, key=lambda row: (row.look_at, row.customer_id))
            return list(dict.fromkeys(row.customer_id for row in ordered))[:limit]

    async def next_due(self, after: int) -> int | None:
        async with self._tables.turn() as tables:
            looks = [row.look_at for row in tables.alerts.rows() if row.is_open and row.look_at > max(after, 0)]
        return min(looks, default=None)

    async def learned(self, by: Collection[Part] = PARTS, rule: str | None = None) -> list[Learned]:
        async with self._tables.turn() as tables:
            told = [row for row in tables.rules.rows() if row.result and rule in (None, row.rule)]
            enabled_at = {one.rule: one.at for one in tables.switches.rows() if one.enabled}
        keys = [
            (row.rule, row.version, row.branch if "branch" in by else "", row.owner if "owner" in by else "",
             row.ended_at > enabled_at.get(row.rule, 0))
            for row in told
        ]  # fmt: skip
        closed = Counter(keys)
        wrong = Counter(key for key, row in zip(keys, told, strict=True) if row.result == "not_relevant")
        return [Learned(*key, closed[key], wrong[key]) for key in sorted(closed)]

    async def begun_by_day(self, rules: Collection[str], since: int, offset_ms: int) -> dict[tuple[str, int], int]:
        async with self._tables.turn() as tables:
            withdrawn = {row.alert_id for row in tables.alerts.rows() if row.state == "withdrawn"}
            said = [row for row in tables.rules.by("rule", rules) if row.said_at >= since]
        return Counter((row.rule, (row.said_at + offset_ms) // DAY_MS) for row in said if row.alert_id not in withdrawn)

    async def notices(self) -> list[Notice]:
        async with self._tables.turn() as tables:
            return tables.newest_notices()

    async def recent_notices(self, since: int, limit: int) -> list[Notice]:
        async with self._tables.turn() as tables:
            found = sorted(tables.notices.rows(), reverse=True)
        return [notice_of(one.row.body) for one in found if one.row.at >= since][:limit]

    async def editions(self, rule: str | None, limit: int) -> list[Edition]:
        async with self._tables.turn() as tables:
            found = sorted(tables.editions.rows(), reverse=True)
        return [edition_of(one.row.body) for one in found if rule in (None, one.row.rule)][:limit]

    async def owners(self) -> list[str]:
        async with self._tables.turn() as tables:
            return sorted({row.owner for row in tables.alerts.rows()} - {""})

    async def loads(self, owners: Collection[str], now: int) -> list[Load]:
        async with self._tables.turn() as tables:
            found = [row for row in tables.alerts.rows() if row.is_open and (not owners or row.owner in owners)]
        late = Counter((row.owner, row.state) for row in found if 0 < row.due_at < now)
        many = Counter((row.owner, row.state) for row in found)
        return [Load(owner, state, many[owner, state], late[owner, state]) for owner, state in sorted(many)]

    async def closed(self, owners: Collection[str], since: int, until: int) -> list[Closed]:
        async with self._tables.turn() as tables:
            found = [alert_of(row.body) for row in tables.alerts.rows() if not owners or row.owner in owners]
        many, amounts = Counter[tuple[str, Result]](), dict[tuple[str, Result], Counter[str]]()
        for one in found:
            if one.outcome is not None and since <= one.ended_at < until:
                key = one.owner, one.outcome.result
                many[key] += 1
                sold = {one.outcome.currency: one.outcome.amount_minor} if one.outcome.result == "sold" else {}
                amounts.setdefault(key, Counter()).update(sold)
        return [Closed(owner, result, many[owner, result], dict(amounts[owner, result]))
                for owner, result in sorted(many)]  # fmt: skip

    async def count(self) -> dict[str, int]:
        async with self._tables.turn() as tables:
            return dict(Counter(row.state for row in tables.alerts.rows()))

    async def switch(self, said: RuleSwitch) -> None:
        async with self._tables.turn() as tables:
            tables.switches.put(said)

    async def switches(self) -> list[RuleSwitch]:
        async with self._tables.turn() as tables:
            return sorted(tables.switches.rows())
