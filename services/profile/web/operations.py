"""For those who run the platform: events that could not be used, and how far the sources are complete."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from schemas.instants import instant
from services.profile.domain.customers.freshness import SourceSeen, completeness
from services.profile.domain.rendering import instant_or_none
from services.profile.ports.records import StoredDeadLetter
from services.profile.web.backend import Injected
from services.profile.web.documents import DeadLetter, DeadLetters, SourceFreshness, Sources, answers
from services.web.asgi import Problem
from services.web.guard import ROLE


@get("/v1/dead-letters", opt={ROLE: "admin"}, responses=answers())
async def list_dead_letters(
    backend: Injected,
    stands: Annotated[str, QueryParameter(name="state", description="open or replayed")] = "open",
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
) -> DeadLetters:
    """Events that could not be used, newest first, with the reason and the place."""
    if stands not in ("open", "replayed"):
        raise Problem(400, "state: open or replayed is expected", field="state")
    letters = await backend.read.reader.dead_letters(limit, stands)
    return DeadLetters(dead_letters=[_letter(one) for one in letters])


@get("/v1/sources", responses=answers())
async def list_sources(backend: Injected) -> Sources:
    """How far each source is complete: everything older is in the views."""
    seen = await backend.read.reader.sources_seen()
    now = completeness(seen, backend.clock.now_ms(), backend.patience)
    rows = {source: [one for one in seen if one.source == source] for source in now.channels}
    return Sources(
        sources=[_source(source, rows[source], now.until.get(source), source in now.silent) for source in now.channels]
    )


def _source(source: str, rows: list[SourceSeen], until: int | None, silent: bool) -> SourceFreshness:
    accepted = max(row.accepted_at for row in rows)
    beat = max(row.heartbeat_at for row in rows)
    return SourceFreshness(
        source=source, channel=rows[0].channel, complete_up_to=instant_or_none(until or None),
        last_accepted_at=instant_or_none(accepted or None), last_heartbeat_at=instant_or_none(beat or None),
        silent=silent,
    )  # fmt: skip


def _letter(letter: StoredDeadLetter) -> DeadLetter:
    return DeadLetter(
        letter_id=letter.letter_id, at=instant(letter.at), stage=letter.stage, source=letter.source,
        reason=letter.reason, field=letter.field, message=letter.message, event_id=letter.event_id,
        state=letter.state, body=letter.body.decode(errors="replace"),
        length=letter.length, sha256=letter.sha256,
    )  # fmt: skip
