"""What the database keeps for the profile, as the use cases see it: one struct a kind of row."""

from typing import Any, NamedTuple

import msgspec


class LedgerEntry(NamedTuple):
    """`key` is the 16-byte hash of (source, id); `content` 8 bytes over what may not change; `day` the UTC day
    (days since 1970) in which it was accepted. `also_day` names a second table around midnight. With `subject` and
    `occurred_at`, an event from before the ledger's days is looked up in the timeline too: that one forgets nothing."""

    key: bytes
    content: bytes
    day: int
    also_day: int | None = None
    subject: str = ""
    occurred_at: int | None = None


class StoredSubject(msgspec.Struct):
    """A subject's row under lock. `cuts` are the segment borders (ms, ascending). `roots` are the roots it counts for;
    itself where it has none. `heads` and `months` hold the states of its segments, packed (`domain/states/packing.py`);
    `months` only those that were asked for. version 0: not stored yet."""

    subject: str
    version: int
    fold_version: int
    cuts: list[int]
    roots: list[str]
    heads: bytes
    months: dict[int, bytes]


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
    """What has aged out of a subject's timeline (see `domain/states/base.py`), and the fold version that wrote it."""

    subject: str
    fold_version: int
    body: bytes


class Mark(NamedTuple):
    """`root` must be refreshed; `accepted_at` is that of the oldest event behind it (ms), 0 where none is."""

    root: str
    accepted_at: int


class DueTime(NamedTuple):
    """`at` in ms; `grain` is "day" or "hour"; `sources` must be complete past `at` before it fires."""

    at: int
    kind: str
    grain: str
    sources: tuple[str, ...]


class StoredView(msgspec.Struct):
    """A customer's row. `lead` is the root that names the customer; `body` and `facts` are JSON without personal values
    (references instead); `decided` is what hysteresis needs to know of the last decision. `state` "live" or "gone"
    (merged into others: `version` goes on)."""

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


class PartyView(NamedTuple):
    """Of the live view of the customer for whom a party stands now, what its households and groups follow."""

    customer_id: str
    owner: str | None
    facts: bytes


class Placement(NamedTuple):
    """How a customer was placed from `at` (ms) on, until its next one: `decided` as JSON (see `placement_of`)."""

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
