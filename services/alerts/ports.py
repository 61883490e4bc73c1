"""What the alert service needs of a database, in its own words. Adapters: memory, SQLite, PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, get_args

from services.alerts.domain.alert import Alert, State
from services.alerts.domain.editions import Edition
from services.alerts.domain.learning import PARTS, Learned, Part
from services.alerts.domain.notices import Notice
from services.alerts.domain.standing import Standing
from services.alerts.domain.team import Closed, Load
from services.log import Move, Position, PositionStore
from services.outbox import Outbox, OutboxMessage

OPEN, ALL = "open", "all"
"""Among the states that are asked for: every open one; every one."""
STATES_ASKED: tuple[str, ...] = (OPEN, ALL, *get_args(State))


class AlertFilter(NamedTuple):
    """An alert matches if it has any of the values of each field; an empty field matches all. `state` may hold `OPEN`.
    `works`: who owns the alert, or was told that its time has passed. `guard`: the one that holds it back or words
    it."""

    owner: tuple[str, ...] = ()
    works: str | None = None
    state: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    severity: tuple[int, ...] = ()
    customer: tuple[str, ...] = ()
    situation: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    guard: str | None = None


MAX_WHY = 500
"""Characters of the reason of a switch."""


class RuleSwitch(NamedTuple):
    """A person has switched a rule on or off; the newest switch counts."""

    rule: str
    enabled: bool
    actor: str
    at: int
    note: str = ""


class AlertsTransaction(Protocol):
    """Leaving the context commits; an exception rolls back all of it. Steps of people and statements alike lock the
    customers, in sorted order, before they read anything of theirs."""

    async def advance(self, moves: Sequence[Move]) -> None:
        """Moves each position `until where next = start` (inserts it where none is stored), or raises `Fenced`."""

    async def lock(self, customer_ids: Sequence[str]) -> dict[str, Standing]:
        """Missing rows are made first, then all are locked in sorted order."""

    async def alerts_of(self, customer_ids: Sequence[str]) -> dict[str, list[Alert]]:
        """The open alerts of each customer, oldest first."""

    async def ended_of(self, customer_ids: Sequence[str]) -> list[Alert]:
        """Those that are not open, by id."""

    async def alert(self, alert_id: str) -> Alert | None: ...

    async def save_standings(self, standings: Mapping[str, Standing]) -> None: ...

    async def save_alerts(self, alerts: Sequence[Alert], look_at: Mapping[str, int]) -> None:
        """`look_at`: alert id → when time alone may change it (ms), 0 for never. The database refuses a second open
        alert of one situation of a customer: under the customers' locks that can only be a bug."""

    async def routed_on(self, owners: Sequence[str], day: int) -> dict[str, int]:
        """owner → how many alerts take places of that day. Until this transaction ends, others that ask for one of
        these owners wait."""

    async def waiting_for(self, owners: Sequence[str]) -> dict[str, float]:
        """owner → the greatest rank among the alerts that wait for room with him or her."""

    async def notices(self) -> list[Notice]:
        """The newest notice on each rule and matter. Until this transaction ends, others that ask wait."""

    async def notify(self, notices: Sequence[Notice]) -> None: ...

    async def editions(self) -> list[Edition]:
        """The newest edition of each rule and file. Until this transaction ends, others that ask wait."""

    async def record(self, editions: Sequence[Edition]) -> None: ...

    async def send(self, lane: str, messages: Sequence[OutboxMessage], now: int) -> None:
        """Appends to an outbox lane; one writer at a time (the lane's row is locked)."""


class AlertStore(Outbox, PositionStore, Protocol):
    """Raises `Unavailable` when the database is away; `Contended` where the same may succeed at the next try."""

    async def set_position(self, topic: str, partition: int, position: Position) -> None: ...

    def working(self) -> AbstractAsyncContextManager[AlertsTransaction]: ...

    async def alert(self, alert_id: str) -> Alert | None: ...

    async def find(self, where: AlertFilter, after: tuple[float, str] | None, limit: int) -> list[Alert]:
        """Greatest rank first, then by id. `after`: (rank, id) of the last one of the page before."""

    async def standing(self, customer_id: str) -> Standing | None: ...

    async def waiting(self, limit: int, full: Collection[str] = ()) -> list[Alert]:
        """New alerts that wait only for room, greatest rank first, without those of owners who are `full`."""

    async def due(self, now: int, limit: int) -> list[str]:
        """Customers with an open alert that time alone may have changed by now."""

    async def next_due(self, after: int) -> int | None:
        """When after that an open alert is due next (ms)."""

    async def learned(self, by: Collection[Part] = PARTS, rule: str | None = None) -> list[Learned]:
        """Outcomes of one rule or of all, which it reads one by one. Branch and owner are empty where they are not
        asked for: outcomes by owner are many rows."""

    async def begun_by_day(self, rules: Collection[str], since: int, offset_ms: int) -> dict[tuple[str, int], int]:
        """(rule, day) → in how many alerts the rule has begun to hold since then, withdrawn ones left out. Days are of
        a place whose clocks are `offset_ms` ahead of UTC."""

    async def notices(self) -> list[Notice]:
        """The newest on each rule and matter."""

    async def recent_notices(self, since: int, limit: int) -> list[Notice]:
        """From then on (ms), the newest first."""

    async def editions(self, rule: str | None, limit: int) -> list[Edition]:
        """Of one rule or file, or of all, the newest first."""

    async def owners(self) -> list[str]:
        """Managers and queues that have ever had an alert."""

    async def loads(self, owners: Collection[str], now: int) -> list[Load]:
        """Open alerts of these owners, or of all, by owner and state; late ones as of `now`."""

    async def closed(self, owners: Collection[str], since: int, until: int) -> list[Closed]:
        """What these owners, or all, closed within that time (ms), by owner and result."""

    async def count(self) -> dict[str, int]:
        """state → alerts. Of more than a hundred thousand, those that have ended may be as many as the database has
        last heard of itself."""

    async def switch(self, said: RuleSwitch) -> None: ...

    async def switches(self) -> list[RuleSwitch]:
        """The newest word on each rule that anybody spoke of."""
