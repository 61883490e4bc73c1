"""The tables of the alert store in memory, and how they are searched."""

from collections.abc import Collection
from typing import Generic, NamedTuple

from services.alerts.adapters.rows import AlertRow, EditionRow, NoticeRow, RuleRow, edition_of, notice_of
from services.alerts.domain.editions import Edition
from services.alerts.domain.notices import Notice
from services.alerts.domain.routing import CAPACITY
from services.alerts.ports import OPEN, AlertFilter, RuleSwitch
from services.memory.stream import StreamTables
from services.memory.tables import Row, Table

ROOM = ("", CAPACITY)
"""What a new alert waits for when it waits for nothing but room."""


class CustomerRow(NamedTuple):
    customer_id: str
    standing: bytes


class Numbered(NamedTuple, Generic[Row]):
    n: int
    row: Row


class Tables(StreamTables):
    def __init__(self) -> None:
        super().__init__()
        journal = self.journal
        self.customers = Table[CustomerRow](journal, "customer_id")
        self.alerts = Table[AlertRow](journal, "alert_id", "customer_id", "owner")
        self.rules = Table[RuleRow](journal, "alert_id rule", "alert_id", "rule")
        self.switches = Table[RuleSwitch](journal, "rule")
        self.notices = Table[Numbered[NoticeRow]](journal, "n")
        self.editions = Table[Numbered[EditionRow]](journal, "n")

    def newest_notices(self) -> list[Notice]:
        """On each rule and matter."""
        newest = {(one.row.rule, one.row.matter): one.row for one in sorted(self.notices.rows())}
        return [notice_of(newest[key].body) for key in sorted(newest)]

    def newest_editions(self) -> list[Edition]:
        """Of each rule."""
        newest = {one.row.rule: one.row for one in sorted(self.editions.rows())}
        return [edition_of(newest[rule].body) for rule in sorted(newest)]


def inbox_order(row: AlertRow) -> tuple[float, str]:
    return -row.rank, row.alert_id


def matches(row: AlertRow, where: AlertFilter, spoke: Collection[str]) -> bool:
    """`spoke`: alerts in which the rule asked for speaks."""
    if where.rule and row.alert_id not in spoke:
        return False
    if where.state and row.state not in where.state and not (row.is_open and OPEN in where.state):
        return False
    if where.works not in (None, row.owner, row.escalated_to):
        return False
    if where.guard not in (None, row.waiting, row.worded_by):
        return False
    named = ((where.owner, row.owner), (where.kind, row.kind), (where.situation, row.situation),
             (where.customer, row.customer_id))  # fmt: skip
    return all(not any_of or one in any_of for any_of, one in (*named, (where.severity, row.severity)))
