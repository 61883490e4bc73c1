"""Dead letters of the profile: events that can never be applied, scrubbed, with the reason and the place."""

import hashlib
from collections.abc import Collection

import msgspec

from schemas.dead_letters import DeadLetter, Place
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_OF
from services.log import Batch, Record
from services.profile.domain.ledger import content_hash

ACCEPT = "accept"
"""The stage of what ingest refused: its letter holds what was sent, names and phone numbers in clear."""


_REMEDIES = {
    "unknown_schema": "Where a newer release wrote it, upgrade the workers and replay the letter.",
    "bug": "Mend the fold, then replay the letter.",
}
_OTHERWISE = "Let whoever wrote it to the log send it by HTTP."


def names(body: bytes, subjects: Collection[str]) -> bool:
    """Whether what was sent says a number of one of these subjects. It was refused, so it may have any shape."""
    try:
        sent = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return False
    holders = [sent.get(holder) for holder in ("identifiers", "actor")] if isinstance(sent, dict) else []
    told = [item for holder in holders if isinstance(holder, dict) for item in holder.items()]
    return any(f"{SUBJECT_OF.get(kind, '')}:{str(value).strip()}" in subjects for kind, value in told)


def conflict(event: ChannelEvent, now: int) -> DeadLetter:
    """The id was used before with other content; each content has a letter of its own. `event` must be
    pseudonymised."""
    letter = _letter(
        event, now, "conflict", "id", f"Source {event.source} used this id for another event. Give this one its own id."
    )
    return msgspec.structs.replace(letter, id=f"{letter.id}-{content_hash(event).hex()}")


def unreadable(batch: Batch, record: Record, reason: str, message: str, now: int) -> DeadLetter:
    """Keeps only length and hash: nobody knows what the record holds."""
    digest = hashlib.sha256(record.value).hexdigest()
    message = f"{message}. {_REMEDIES.get(reason, _OTHERWISE)}"
    return DeadLetter(
        id=place_id(batch, record.offset), stage="update", source="", reason=reason,
        message=message, body=b"", length=len(record.value), sha256=digest, at=now,
        place=Place(batch.topic, batch.partition, record.offset),
    )  # fmt: skip


def parked(event: ChannelEvent, batch: Batch, offset: int, trace: str, now: int) -> DeadLetter:
    """A bug met this event twice; `trace` says where."""
    letter = _letter(event, now, "bug", "", f"{trace}. {_REMEDIES['bug']}")
    # named after its place: parked again after a replay, it is a letter of its own
    place = Place(batch.topic, batch.partition, offset)
    return msgspec.structs.replace(letter, id=place_id(batch, offset), place=place)


def place_id(batch: Batch, offset: int) -> str:
    return f"{batch.topic}-{batch.topic_id}-{batch.partition}-{offset}"


def place_of(letter_id: str) -> tuple[str, Place] | None:
    """(identity of the topic, place) of the record behind a letter; None where the letter keeps what it is about."""
    topic, *rest = letter_id.rsplit("-", 3)
    if len(rest) != 3 or not (rest[1].isdecimal() and rest[2].isdecimal()):
        return None
    return rest[0], Place(topic, int(rest[1]), int(rest[2]))


def _letter(event: ChannelEvent, now: int, reason: str, field: str, message: str) -> DeadLetter:
    body = msgspec.json.encode(event)
    return DeadLetter(
        id=f"{event.source}-{event.id}-{reason}", stage="update", source=event.source, reason=reason, field=field,
        message=message, body=body, length=len(body), sha256=hashlib.sha256(body).hexdigest(), at=now,
        event_id=event.id,
    )  # fmt: skip
