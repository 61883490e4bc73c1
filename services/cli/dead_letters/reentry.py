"""A dead letter in the form in which a channel would send it again."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.codec import CodecError, decode_event
from schemas.events import ChannelEvent
from services.cli.beside import Beside
from services.cli.refusals import Refusal
from services.profile.domain.as_sent import as_sent
from services.profile.domain.letters import ACCEPT, place_of
from services.profile.ports.records import StoredDeadLetter

ASSIGNED = ("accepted_at", "source", "subject")
"""What ingest says of an event, and a channel must not."""


class Reentry(NamedTuple):
    """`form` is what `POST /v1/events` takes."""

    source: str
    form: dict[str, Any]


async def event_of(letter: StoredDeadLetter, beside: Beside, catalogue: Mapping[str, EventType]) -> Reentry:
    """Raises `Refusal` where nothing that could be sent again was kept."""
    if letter.state != "open":
        raise Refusal("was replayed before")
    if letter.stage == ACCEPT:
        return Reentry(letter.source, _as_sent(letter))
    if letter.reason == "conflict":
        raise Refusal(f"its id stands for another event: let {letter.source} send it under an id of its own")
    event = await _from_log(letter, beside)
    try:
        return Reentry(event.source, channel_form(event, catalogue.get(event.type)))
    except msgspec.MsgspecError:
        raise Refusal("its attributes are no JSON: let whoever wrote it to the log send it by HTTP") from None


def channel_form(event: ChannelEvent, declared: EventType | None) -> dict[str, Any]:
    form = {name: value for name, value in as_sent(event, declared).items() if name not in ASSIGNED}
    if "subject" in form.get("actor", {}):
        del form["actor"]  # of a personal identifier only a hash is known, and no channel can say that
    return form


def _as_sent(letter: StoredDeadLetter) -> dict[str, Any]:
    if not letter.body:
        raise Refusal("was emptied when its customer was erased: the source has to send it again")
    try:
        return msgspec.json.decode(letter.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise Refusal("only the beginning of it was kept: the source has to send it again") from None


async def _from_log(letter: StoredDeadLetter, beside: Beside) -> ChannelEvent:
    """The letter's own body has references in place of personal values; the log has what was accepted."""
    named = place_of(letter.letter_id)
    if named is None:
        raise Refusal("does not say where in the log its event stands")
    topic_id, place = named
    async with beside.log() as log:
        same = await log.topic_id(place.topic) == topic_id
        record = await log.record(place.topic, place.partition, place.offset) if same else None
    if record is None:
        raise Refusal("the log no longer has its event: the source has to send it again")
    try:
        return decode_event(record.value)
    except CodecError as error:
        raise Refusal(f"still cannot be read ({error.message})") from None
