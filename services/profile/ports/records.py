"""What the database keeps for the profile, as the use cases see it: one struct a kind of row."""

from typing import Any, NamedTuple

import msgspec

LIVE = "live"


class LedgerEntry(NamedTuple):
    """`key`: a 16-byte hash of (source, id). `content`: an 8-byte hash over what may not change. `day`: the UTC day of
    acceptance (since 1970); `also_day`: a second table around midnight. With `subject` and `occurred_at` an event from
    before the ledger's days is looked up in the timeline as well."""

    key: bytes
    content: bytes
    day: int
    also_day: int | None = None
    subject: str = ""
    occurred_at: int | None = None


class StoredSubject(msgspec.Struct):
    """A subject's row under lock. `cuts`: the borders of its segments (ms, ascending). `roots`: those it counts for;
    itself where it has none. `heads` and `months`: the packed states of its segments (`domain/states/packing.py`), of
    the months only those that were asked for. `erased_at`: what it told until then (ms) tells nothing personal
    any more, 0 for never. Version 0: not stored yet."""

    subject: str
    version: int
    fold_version: int
    cuts: list[int]
    roots: list[str]
    heads: bytes
    months: dict[int, bytes]
    erased_at: int = 0


class TimelineRow(NamedTuple):
    subject: str
    occurred_at: int
    sequence: int  # -1 where the source tells none
    key: bytes  # the ledger key: unique
    type: str
    channel: str
    accepted_at: int
    event: bytes  # codec-encoded, personal values replaced by references


class BaseRow(NamedTuple):
    """The base of a subject (see `domain/states/base.py`), and the fold version that wrote it."""

    subject: str
    fold_version: int
    body: bytes


class Mark(NamedTuple):
    """`root` must be refreshed. `accepted_at`: that of the oldest event behind the mark (ms), 0 if it has none.
    `urgent_at`: the same of those events that go ahead of everyday business."""

    root: str
    accepted_at: int
    urgent_at: int = 0


class StoredView(msgspec.Struct):
    """A customer's row. `lead`: the root that names the customer. `body` and `facts`: JSON with references in place of
    personal values. `decided`: the last decisions on tier and owner, from which hysteresis goes on. `state`: "live", or
    "gone" for a customer that was merged into another; its `version` goes on."""

    customer_id: str
    lead: str
    version: int
    kind: str
    state: str
    changed_at: int
    body: bytes
    facts: bytes
    decided: bytes = b"{}"
    owner: str | None = None
    tier: str | None = None
    name_ref: str | None = None

    @property
    def is_live(self) -> bool:
        return self.state == LIVE


class PartyView(NamedTuple):
    """What a household needs of a member: from the live view of the customer that the party counts for now."""

    customer_id: str
    owner: str | None
    facts: bytes


class Placement(NamedTuple):
    """How a customer was placed from `at` (ms) until the next placement: `decided` as JSON (see `placement_of`)."""

    lead: str
    at: int
    decided: bytes


class Shard(NamedTuple):
    """A lease: `fence` must match inside every transaction."""

    shard: int
    owner: str
    fence: int


class Decision(msgspec.Struct, frozen=True):
    """What is chosen and recorded rather than computed. `kind`: merge, split, owner, tier, review…"""

    decision_id: str
    kind: str
    subjects: tuple[str, ...]
    actor: str
    reason: str
    at: int
    undoes: str | None = None
    body: dict[str, Any] = {}


class StoredDeadLetter(msgspec.Struct):
    """`length` (bytes) and `sha256` are those of what was sent: `body` may be an excerpt of it, or nothing."""

    letter_id: str
    at: int
    stage: str
    source: str
    reason: str
    field: str
    message: str
    event_id: str | None
    body: bytes
    length: int
    sha256: str
    state: str = "open"  # open, replayed
