"""One shard's refresh in SQL: marks taken, members from one snapshot, views written."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.failures import Contended
from services.outbox import OutboxMessage
from services.profile.adapters import sql_queues
from services.profile.adapters.low_water import LowWater
from services.profile.adapters.sql_customers import SqlCustomers
from services.profile.adapters.sql_personal import ERASED
from services.profile.adapters.sql_queues import STREAM
from services.profile.adapters.sql_staff import KnownStaff
from services.profile.domain.customers.summary import DueTime
from services.profile.ports.records import Mark, Placement, Shard, StoredView
from services.sql.session import Bulk, Session, insert

_SAVE_VIEWS = insert(
    "views as v",
    "customer_id text, lead text, version bigint, kind text, state text, changed_at bigint, body bytea, facts bytea,"
    " decided bytea, owner text, tier text, name_ref text",
    """on conflict (lead) do update set version = excluded.version, kind = excluded.kind, state = excluded.state,
    changed_at = excluded.changed_at, body = excluded.body, facts = excluded.facts, decided = excluded.decided,
    owner = excluded.owner, tier = excluded.tier, name_ref = excluded.name_ref where v.version < excluded.version""",
)
_SAVE_JUDGED = Bulk(
    """update views v set decided = judged.decided from unnest($1::bytea[], $2::text[]) as judged(decided, lead)
    where v.lead = judged.lead and v.decided <> judged.decided""",
    "update views set decided = ?1 where lead = ?2 and decided <> ?1",
)
_NOTE_PLACEMENTS = insert(
    "placements",
    "lead text, at bigint, decided bytea",
    "on conflict (lead, at) do update set decided = excluded.decided",
)


class SqlRefresh(SqlCustomers):
    """See `RefreshTransaction`. `low`: what is known of the queue of marks; `known`: the staff as it was read last."""

    def __init__(self, session: Session, low: LowWater, known: KnownStaff) -> None:
        super().__init__(session)
        self._low, self._known = low, known

    async def staff(self) -> dict[str, dict[str, Any]]:
        return await (self._known.told(self._session) if self._session.dialect == "postgresql" else super().staff())

    async def fence(self, shards: Sequence[Shard]) -> list[Shard]:
        return await sql_queues.fence(self._session, shards)

    async def take_marks(
        self, shards: Sequence[int], limit: int, resting: Sequence[str] = (), *, urgent: bool = False
    ) -> list[Mark]:
        return await sql_queues.take_marks(self._session, shards, limit, resting, self._low, urgent=urgent)

    async def mark(self, marks: Sequence[Mark]) -> None:
        await sql_queues.leave_marks(self._session, marks)

    async def set_aside(self, marks: Sequence[Mark]) -> None:
        await sql_queues.leave_marks(self._session, marks, aside=True)

    async def erased(self, subjects: Sequence[str]) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._session.rows(ERASED, list(subjects))}

    async def save_views(self, views: Sequence[StoredView], due: Mapping[str, Sequence[DueTime]]) -> None:
        ordered = sorted(views, key=lambda one: one.lead)
        if await self._session.bulk(_SAVE_VIEWS, [msgspec.structs.astuple(one) for one in ordered]) != len(ordered):
            raise Contended("a view was refreshed elsewhere")
        await sql_queues.replace_due(self._session, due)

    async def save_judged(self, decided: Mapping[str, bytes]) -> None:
        await self._session.bulk(_SAVE_JUDGED, [(decided[lead], lead) for lead in sorted(decided)])

    async def note_placements(self, placements: Sequence[Placement]) -> None:
        await self._session.bulk(_NOTE_PLACEMENTS, sorted(placements))

    async def send(self, lanes: Mapping[str, Sequence[OutboxMessage]], now: int) -> None:
        await STREAM.send(self._session, lanes, now)
