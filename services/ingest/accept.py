"""USE CASE: turns what a channel sent into events to append to the log, and into a dead letter for each that cannot be
used.

Returns messages; the caller publishes them. Nothing here waits.
"""

import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from schemas.codec import encode_dead_letter, encode_event
from schemas.dead_letters import DeadLetter
from schemas.events import HEARTBEAT
from schemas.tokens import clean_text
from services.failures import Rejected
from services.ingest.domain.admission import admit
from services.ingest.domain.heartbeat import spread
from services.ingest.domain.rules import Rules
from services.ingest.domain.scrub import clean_event, shape
from services.ingest.domain.sources import Terms
from services.log import Message

MAX_KEPT_BYTES = 65_536


class Rejection(msgspec.Struct, frozen=True):
    """`index` counts from 0 in the order sent; `field` is a JSON path, `reason` a stable word."""

    index: int
    id: str | None
    field: str
    reason: str
    message: str


class Outcome(msgspec.Struct):
    """`events` go to channel-events, `dead_letters` to dead-letters. `accepted_on`: channel → events as sent."""

    events: list[Message] = msgspec.field(default_factory=list)
    rejected: list[Rejection] = msgspec.field(default_factory=list)
    dead_letters: list[Message] = msgspec.field(default_factory=list)
    accepted_on: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def accepted(self) -> int:
        return sum(self.accepted_on.values())

    def add(self, other: "Outcome") -> None:
        self.events += other.events
        self.rejected += other.rejected
        self.dead_letters += other.dead_letters
        for channel, number in other.accepted_on.items():
            self.accepted_on[channel] = self.accepted_on.get(channel, 0) + number


def accept(
    bodies: Sequence[bytes | msgspec.Raw], terms: Terms, rules: Rules, now_ms: int, partitions: int, first: int = 0
) -> Outcome:
    """`bodies` are the JSON texts of single events; `first` is the index of the first within its request."""
    outcome = Outcome()
    for index, event in enumerate(admit(bodies, terms, rules, now_ms), first):
        if isinstance(event, Rejected):
            body = bodies[index - first]
            event_id = _id_of(body, rules)
            field = clean_text(event.field, rules.key)
            outcome.rejected.append(Rejection(index, event_id, field, event.reason, event.message))
            outcome.dead_letters.append(dead_letter(body, event, terms, rules, now_ms, event_id or ""))
            continue
        if event.type == HEARTBEAT:
            outcome.events.extend(spread(event, partitions))
        else:
            outcome.events.append(Message(event.subject.encode(), encode_event(event)))
        outcome.accepted_on[event.channel] = outcome.accepted_on.get(event.channel, 0) + 1
    return outcome


def occurred(bodies: Sequence[bytes | msgspec.Raw], terms: Terms, rules: Rules, now_ms: int) -> list[int]:
    """When each would have occurred (ms), were it accepted now; 0 for one that would not."""
    admitted = admit(bodies, terms, rules, now_ms)
    return [0 if isinstance(event, Rejected) else event.occurred_at for event in admitted]


def dead_letter(
    body: bytes | msgspec.Raw, rejected: Rejected, terms: Terms, rules: Rules, now_ms: int, event_id: str = ""
) -> Message:
    """The dead letter of something that was refused: scrubbed, fit to be looked at and, after a fix, to be sent
    again."""
    sent = bytes(body)
    # keyed, because what was sent may hold a card number, and a plain hash of few unknown digits is as good as them
    digest = hmac.digest(rules.secret, sent, hashlib.sha256).hex()
    letter = DeadLetter(
        id=f"{terms.source.id}-{now_ms}-{digest[:16]}",
        stage="accept",
        source=terms.source.id,
        reason=rejected.reason,
        field=_storable(clean_text(rejected.field, rules.key)),
        message=rejected.message,
        body=_scrubbed(sent, rules),
        length=len(sent),
        sha256=digest,
        at=now_ms,
        event_id=_storable(event_id),
    )
    return Message(terms.source.id.encode(), encode_dead_letter(letter))


def _storable(text: str) -> str:
    """A name or id as a client spelled it may hold what no database does; the letter about it must not be lost."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _scrubbed(sent: bytes, rules: Rules) -> bytes:
    """The event without secrets; only its shape where it cannot be read or is too large to keep."""
    if len(sent) <= MAX_KEPT_BYTES:
        with suppress(msgspec.MsgspecError, UnicodeError, RecursionError, Rejected):
            return msgspec.json.encode(clean_event(msgspec.json.decode(sent), rules.key))
    return shape(sent).encode()


class _Named(msgspec.Struct):
    id: str | None = None


def _id_of(body: bytes | msgspec.Raw, rules: Rules) -> str | None:
    """The id as sent, unless it cannot be read or repeats a card number."""
    try:
        named = msgspec.json.decode(body, type=_Named).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return named if named is not None and len(named) <= 200 and clean_text(named, rules.key) == named else None
