"""Sends letters again by the front door, each as the source that sent it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from schemas.catalogue import load_catalogue
from services.cli.beside import Beside
from services.cli.dead_letters.reentry import event_of
from services.cli.refusals import Refusal
from services.clock import SystemClock
from services.ingest.domain.sources import EVERY
from services.ingest.registry import create_key
from services.profile.ports.records import StoredDeadLetter
from services.replay.send import Answer, Publish, http_publisher


@asynccontextmanager
async def resending(beside: Beside, address: str) -> AsyncIterator["Resending"]:
    async with AsyncExitStack() as open_doors:
        yield Resending(beside, address, open_doors)


class Resending:
    """One key and one connection for each source, for as long as this lasts."""

    def __init__(self, beside: Beside, address: str, open_doors: AsyncExitStack) -> None:
        self._beside, self._address, self._open_doors = beside, address, open_doors
        self._doors: dict[str, Publish] = {}
        self._catalogue = load_catalogue(beside.settings.event_types)

    async def send(self, letter: StoredDeadLetter) -> dict[str, str]:
        """What became of it."""
        try:
            event = await event_of(letter, self._beside, self._catalogue)
        except Refusal as refusal:
            return {"letter_id": letter.letter_id, "outcome": "kept", "what": str(refusal)}
        publish = await self._door_of(event.source)
        answer = await publish([event.form])
        await self._beside.store.mark_letter_replayed(letter.letter_id)
        return {"letter_id": letter.letter_id, **_told(answer)}

    async def _door_of(self, source: str) -> Publish:
        if source not in self._doors:
            key = await self._open_doors.enter_async_context(_key_of(self._beside, source))
            publisher = http_publisher(self._address, key, patience=15)
            self._doors[source] = await self._open_doors.enter_async_context(publisher)
        return self._doors[source]


def _told(answer: Answer) -> dict[str, str]:
    if answer.accepted:
        return {"outcome": "accepted", "what": "accepted"}
    again = answer.rejected[0] if answer.rejected else {}
    why = f"{again.get('field') or 'the event'}: {again.get('message') or again.get('reason') or 'refused'}"
    return {"outcome": "rejected", "what": f"refused again; it is now a new letter ({why})"}


@asynccontextmanager
async def _key_of(beside: Beside, source: str) -> AsyncIterator[str]:
    """A key that lives as long as the replay: an event counts once only under the source that it came from."""
    now = SystemClock().now_ms
    secret, grant = await create_key(beside.stores.keys, beside.stores.sources, source, [EVERY], now())
    try:
        yield secret
    finally:
        await beside.stores.keys.revoke(grant.key_id, now())
