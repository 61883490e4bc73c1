"""What can be computed from the records of a batch before a transaction opens."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.catalogue import EventType
from schemas.codec import CodecError, decode_event, encode_event
from schemas.dead_letters import DeadLetter
from schemas.events import ChannelEvent
from services.log import Batch, Record
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.assertions import links_of
from services.profile.domain.identity.links import Link
from services.profile.domain.ledger import content_hash, ledger_key
from services.profile.domain.letters import unreadable
from services.profile.domain.states.personal import Pseudonymiser
from services.profile.sources import sources_seen


class Arrival(NamedTuple):
    """An event with everything that update needs of it."""

    event: ChannelEvent  # pseudonymised
    key: bytes
    content: bytes
    encoded: bytes  # `event` in Avro; the record as it came where there was nothing personal to take out
    links: list[Link]
    personal: dict[str, str]


class Decoded(NamedTuple):
    """One batch: its events, dead letters for the records that no schema can read, and what it says of its sources."""

    arrivals: Sequence[Arrival]
    letters: Sequence[DeadLetter]
    sources: Sequence[SourceSeen]


class Decoder:
    def __init__(self, catalogue: Mapping[str, EventType], secret: bytes) -> None:
        self._catalogue, self._secret = catalogue, secret
        self._pseudonymiser = Pseudonymiser(catalogue, secret)

    def decode(self, batch: Batch, now: int) -> Decoded:
        arrivals: list[Arrival] = []
        letters: list[DeadLetter] = []
        for record in batch.records:
            try:
                arrivals.append(self._arrival(record))
            except CodecError as error:
                letters.append(unreadable(batch, record, error.reason, error.message, now))
        return Decoded(arrivals, letters, sources_seen([one.event for one in arrivals], batch.partition))

    def _arrival(self, record: Record) -> Arrival:
        sent = decode_event(record.value)
        event, personal = self._pseudonymiser.apply(sent)
        links = links_of(sent, self._catalogue.get(sent.type), self._secret)
        encoded = record.value if event is sent else encode_event(event)
        return Arrival(event, ledger_key(sent.source, sent.id), content_hash(event), encoded, links, personal)
