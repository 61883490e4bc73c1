"""Which sources were not heard of for longer than is usual, and since when one could have been heard."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.cli.beside import Beside
from services.ingest.domain.sources import Grant, Source
from services.profile.domain.customers.freshness import SourceSeen


class Silence(NamedTuple):
    """`silent_ms`: since it was last heard of; if never, since it could have been. None: it has no key to be heard
    with."""

    source: str
    silent_ms: int | None
    rhythm_ms: int
    is_heard: bool

    @property
    def is_too_long(self) -> bool:
        return self.silent_ms is not None and self.silent_ms > self.rhythm_ms


async def silences_of(beside: Beside, now: int) -> list[Silence]:
    """Of every source that is switched on."""
    known = [one for one in await beside.stores.sources.sources() if one.enabled]
    heard = last_heard(await beside.store.sources_seen())
    return silences(known, heard, await beside.stores.keys.grants(), now)


def silences(known: Iterable[Source], heard: Mapping[str, int], grants: Iterable[Grant], now: int) -> list[Silence]:
    """`heard`: as `last_heard` says it."""
    since: dict[str, int] = {}
    for grant in grants:
        if grant.revoked_at is None:
            since[grant.source] = min(grant.created_at, since.get(grant.source, now))
    began = {**since, **heard}
    return [
        Silence(one.id, now - began[one.id] if one.id in began else None, one.rhythm_ms, one.id in heard)
        for one in known
    ]


def last_heard(seen: Iterable[SourceSeen]) -> Mapping[str, int]:
    """source → ms."""
    heard: dict[str, int] = {}
    for one in seen:
        heard[one.source] = max(heard.get(one.source, 0), one.accepted_at)
    return heard
