"""The stored timeline as a past to live through again: laid into days by a file each, so that a bank's whole past needs
no more memory than its busiest day."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.codec import decode_event, encode_event
from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.cli.rules.rerun import Happened
from services.profile.domain.states.personal import is_reference
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import TimelineRow

ClockOf = Literal["accepted", "event"]
ROWS_AT_ONCE = 5_000
_BEFORE_ALL = ("", 0, 0, b"")


class _Kept(NamedTuple):
    at: int
    key: bytes
    event: bytes


class StoredPast:
    """`clock`: by which time things happen again: of their acceptance; or, where a past was sent later, of the events
    themselves."""

    def __init__(self, reader: ProfileReader, clock: ClockOf, directory: Path) -> None:
        self._reader, self._clock, self._directory = reader, clock, directory
        self._days: set[int] = set()

    async def lay(self, until: int, told: Callable[[int], None]) -> int:
        """Reads all that happened before (ms); returns how many events. `told` hears how many were read so far."""
        after, laid, read = _BEFORE_ALL, 0, 0
        while rows := await self._reader.timeline_page(after, ROWS_AT_ONCE):
            after, read = rows[-1][:4], read + len(rows)
            laid += self._write(rows, until)
            told(read)
        return laid

    def _write(self, rows: Sequence[TimelineRow], until: int) -> int:
        days: dict[int, list[_Kept]] = {}
        for row in rows:
            at = row.accepted_at if self._clock == "accepted" else row.occurred_at
            if at < until:
                days.setdefault(at // DAY_MS, []).append(_Kept(at, row.key, row.event))
        for day, kept in days.items():
            with self._path(day).open("ab") as file:
                file.write(b"".join(map(_framed, kept)))
        self._days |= days.keys()
        return sum(map(len, days.values()))

    def _path(self, day: int) -> Path:
        return self._directory / f"{day}.events"

    async def happened(self) -> AsyncIterator[list[Happened]]:
        """Day by day."""
        for day in sorted(self._days):
            kept = sorted(_unframed(self._path(day).read_bytes()))
            events = await self._with_names([decode_event(one.event) for one in kept])
            if self._clock == "event":
                events = [msgspec.structs.replace(one, accepted_at=one.occurred_at) for one in events]
            yield [Happened(one.at, encode_event(event)) for one, event in zip(kept, events, strict=True)]

    async def _with_names(self, events: Sequence[ChannelEvent]) -> list[ChannelEvent]:
        """Links are told by identifiers as they came; those that were erased lead nowhere any more."""
        refs = sorted({ref for event in events for ref in _references(event)})
        clear = await self._reader.personal(refs) if refs else {}
        return [_restored(event, clear) for event in events]


def _references(event: ChannelEvent) -> Iterator[str]:
    yield from (value for value in event.identifiers.values() if is_reference(value))
    if b'"former_' in event.attributes:
        yield from (value for value in _former(event).values() if is_reference(value))


def _former(event: ChannelEvent) -> dict[str, str]:
    told: dict[str, Any] = msgspec.json.decode(event.attributes)
    return {name: value for name, value in told.items() if name.startswith("former_") and isinstance(value, str)}


def _restored(event: ChannelEvent, clear: Mapping[str, str]) -> ChannelEvent:
    if not any(ref in clear for ref in _references(event)):
        return event
    identifiers = {kind: clear.get(value, value) for kind, value in event.identifiers.items()}
    attributes = msgspec.json.decode(event.attributes, type=dict[str, Any])
    attributes |= {name: clear.get(value, value) for name, value in _former(event).items()}
    return msgspec.structs.replace(event, identifiers=identifiers, attributes=msgspec.json.encode(attributes))


def _framed(kept: _Kept) -> bytes:
    packed = msgspec.msgpack.encode(kept)
    return len(packed).to_bytes(4, "big") + packed


def _unframed(content: bytes) -> Iterator[_Kept]:
    decode, at = msgspec.msgpack.Decoder(_Kept).decode, 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        yield decode(content[at + 4 : at + 4 + size])
        at += 4 + size
