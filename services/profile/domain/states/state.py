"""The state of a subject, folded from its events: integers, strings and timestamps, no floats, no clock.

States form a commutative monoid: `combine` joins two, order and grouping do not matter. A state is stored as one head
and one part a month, so that the cost of an event does not grow with the past. `gc=False`: states are trees, and the
collector's walk over them costs six times as much as reading them.
"""

from typing import Any

import msgspec

Stamp = tuple[int, int, int, str, str]
"""(occurred_at ms, sequence or -1, rank of the type, source, event id): a total order of distinct events."""

HOURS_KEPT = 8 * 24
MONTHS_KEPT = 25
LATEST_KEPT = 24
KEYS_KEPT = 64
"""Most counterparties (payers, payees, reasons) told apart in one month; beyond, the month's map is `many` for good."""

BANKS_KEPT = 16
"""Most banks of the other side, and most names, told apart in one day; beyond, the day is `many` for good."""

MANY = "many"


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A register: the greatest stamp wins."""

    stamp: Stamp
    value: Any  # a JSON value without floats


class Cell(msgspec.Struct, array_like=True, gc=False):
    """A counter: how many, and the sum in minor units (0 where nothing is summed)."""

    count: int = 0
    total: int = 0


class Activity(msgspec.Struct, array_like=True, gc=False):
    first_at: int
    last_at: int
    count: int


class Candidate(msgspec.Struct, array_like=True, gc=False):
    """An event that may become a moment. `cancelled` is a tombstone: a reversal named it, perhaps before it came.
    `taken_back`: minor units of it that reversals of a part have cancelled."""

    at: int
    event_id: str
    values: dict[str, Any] = {}
    cancelled: bool = False
    taken_back: int = 0

    @property
    def stands(self) -> bool:
        """Whether the event has come, and something of it is left."""
        return bool(self.values) and not self.cancelled and (not self.taken_back or self.minor > 0)

    @property
    def minor(self) -> int:
        """What is left of its amount."""
        amount: int = self.values.get("minor", 0)
        return amount - self.taken_back


Thing = dict[str, Entry]
Series = dict[str, Cell]


class Head(msgspec.Struct, omit_defaults=True, gc=False):
    """`things`: thing (a subject key, or a business id such as `case:77`) → field → register.
    `activity`: actor's subject key, "" where unknown → channel → first, last, count.
    `latest`: kind of candidate → the newest `LATEST_KEPT`, ordered by (at, event id).
    `hours`: hour since 1970 → series → cell."""

    first_at: int = 0
    newest_at: int = 0
    count: int = 0
    things: dict[str, Thing] = {}
    activity: dict[str, dict[str, Activity]] = {}
    latest: dict[str, list[Candidate]] = {}
    hours: dict[int, Series] = {}


class Month(msgspec.Struct, omit_defaults=True, gc=False):
    """`days`: day since 1970 → series → cell. `totals`: the same over the whole month, so that a long window need not
    be added up day by day. `closing`: account subject → day → closing balance (minor, currency).
    `parties`: series → counterparty key → cell, or {MANY: …} alone.
    `banks`: day → `direction:currency:bank#kind` of the other side → cell, or {MANY: …} alone.
    `names`: the same of who is paid and told by `name#kind` alone: somebody who pays many loses no bank by it.
    `contacts`: contact id → field → register: several events tell of one contact.
    `undone`: id of a movement of which all was cancelled → by which reversal: another one of it cancels nothing."""

    days: dict[int, Series] = {}
    totals: Series = {}
    closing: dict[str, dict[int, Entry]] = {}
    parties: dict[str, dict[str, Cell]] = {}
    banks: dict[int, Series] = {}
    names: dict[int, Series] = {}
    contacts: dict[str, Thing] = {}
    undone: dict[str, "Undone"] = {}

    @property
    def days_by_part(self) -> list[dict[int, Series]]:
        """The days of each part, as a joined month has them: sums over them need no join."""
        return [self.days]


class Undone(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a whole reversal took out, with its hours, whether or not those are still kept. Of two reversals the earlier
    one counts, and what the later one took is given back."""

    stamp: Stamp
    month: Month
    hours: dict[int, Series]


class State(msgspec.Struct):
    """`months` maps year * 12 + month - 1 (UTC) to that month's part."""

    head: Head = msgspec.field(default_factory=Head)
    months: dict[int, Month] = {}


def any_of(month: Month) -> bool:
    return bool(month.days or month.closing or month.parties or month.banks or month.names or month.contacts)
