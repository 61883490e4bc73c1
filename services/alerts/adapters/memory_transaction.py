"""One transaction of the alert service in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence

from services.alerts.adapters.memory_tables import ROOM, CustomerRow, Numbered, Tables
from services.alerts.adapters.rows import (
    AlertRow,
    alert_of,
    by_customer,
    edition_row,
    notice_row,
    row_of,
    rules_of,
    standing_of,
    standing_row,
)
from services.alerts.domain.alert import Alert
from services.alerts.domain.editions import Edition
from services.alerts.domain.notices import Notice
from services.alerts.domain.standing import Standing
from services.log import Move
from services.outbox import OutboxMessage


class MemoryTransaction:
    """See `AlertsTransaction`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def advance(self, moves: Sequence[Move]) -> None:
        self._tables.stream.advance(moves)

    async def lock(self, customer_ids: Sequence[str]) -> dict[str, Standing]:
        found: dict[str, Standing] = {}
        for customer_id in sorted(set(customer_ids)):
            row = self._tables.customers.get(customer_id)
            if row is None:
                row = CustomerRow(*standing_row(customer_id, Standing()))
                self._tables.customers.put(row)
            found[customer_id] = standing_of(row.standing)
        return found

    async def alerts_of(self, customer_ids: Sequence[str]) -> dict[str, list[Alert]]:
        found = [row for row in self._tables.alerts.by("customer_id", customer_ids) if row.is_open]
        ordered = sorted(found, key=lambda row: (row.opened_at, row.alert_id))
        return by_customer(customer_ids, [row.body for row in ordered])

    async def ended_of(self, customer_ids: Sequence[str]) -> list[Alert]:
        found = [row for row in self._tables.alerts.by("customer_id", customer_ids) if not row.is_open]
        return [alert_of(row.body) for row in sorted(found, key=lambda row: row.alert_id)]

    async def alert(self, alert_id: str) -> Alert | None:
        row = self._tables.alerts.get(alert_id)
        return None if row is None else alert_of(row.body)

    async def save_standings(self, standings: Mapping[str, Standing]) -> None:
        for customer_id, standing in standings.items():
            self._tables.customers.put(CustomerRow(*standing_row(customer_id, standing)))

    async def save_alerts(self, alerts: Sequence[Alert], look_at: Mapping[str, int]) -> None:
        for alert in alerts:
            self._tables.alerts.put(row_of(alert, look_at.get(alert.alert_id, 0)))
            self._tables.rules.drop(self._tables.rules.by("alert_id", [alert.alert_id]))
            for rule in rules_of(alert):
                self._tables.rules.put(rule)
        self._refuse_two_open(alerts)

    def _refuse_two_open(self, alerts: Sequence[Alert]) -> None:
        touched = {one.customer_id for one in alerts}
        stand = Counter(map(_slot, (row for row in self._tables.alerts.by("customer_id", touched) if row.is_open)))
        if any(count > 1 for count in stand.values()):
            raise ValueError("alerts_one_open: a customer would have two open alerts of one situation")

    async def routed_on(self, owners: Sequence[str], day: int) -> dict[str, int]:
        return dict(Counter(row.owner for row in self._tables.alerts.by("owner", owners) if row.routed_day == day))

    async def waiting_for(self, owners: Sequence[str]) -> dict[str, float]:
        found = [row for row in self._tables.alerts.by("owner", owners) if row.state == "new" and row.waiting in ROOM]
        return {row.owner: row.rank for row in sorted(found, key=lambda row: row.rank)}

    async def notices(self) -> list[Notice]:
        return self._tables.newest_notices()

    async def notify(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            self._tables.notices.put(Numbered(len(self._tables.notices), notice_row(notice)))

    async def editions(self) -> list[Edition]:
        return self._tables.newest_editions()

    async def record(self, editions: Sequence[Edition]) -> None:
        for edition in editions:
            self._tables.editions.put(Numbered(len(self._tables.editions), edition_row(edition)))

    async def send(self, lane: str, messages: Sequence[OutboxMessage], now: int) -> None:
        self._tables.stream.send({lane: messages}, now)


def _slot(row: AlertRow) -> tuple[str, str]:
    return row.customer_id, row.situation
