"""How many alerts are in each state: counted while they are few; of many, those that have ended as PostgreSQL knows its
table anyway."""

from collections.abc import Awaitable, Callable, Sequence

from services.alerts.domain.alert import OPEN_STATES
from services.sql.database import Dialect
from services.sql.session import Row

EXACT_BELOW = 100_000
_ALL = "select state, count(*) from alerts group by state"
_OPEN = "select state, count(*) from alerts where is_open group by state"
_ABOUT = """
select seen.state, (seen.share * greatest(c.reltuples, t.n_live_tup))::bigint
from pg_class c join pg_stat_user_tables t on t.relid = c.oid
join pg_stats s on s.schemaname = t.schemaname and s.tablename = t.relname and s.attname = 'state',
unnest(s.most_common_vals::text::text[], s.most_common_freqs) seen(state, share)
where c.oid = 'alerts'::regclass"""


async def counted(rows: Callable[..., Awaitable[Sequence[Row]]], dialect: Dialect) -> dict[str, int]:
    about = {row[0]: row[1] for row in await rows(_ABOUT)} if dialect == "postgresql" else {}
    if sum(about.values()) < EXACT_BELOW:
        return {row[0]: row[1] for row in await rows(_ALL)}
    ended = {state: many for state, many in about.items() if state not in OPEN_STATES}
    return ended | {row[0]: row[1] for row in await rows(_OPEN)}
