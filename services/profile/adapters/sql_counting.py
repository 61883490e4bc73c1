"""How many rows there are: counted while they are few; of many, what PostgreSQL knows of its tables anyway."""

from collections.abc import Awaitable, Callable, Sequence

from services.sql.database import Dialect
from services.sql.session import Row

EXACT_BELOW = 100_000
_ROWS = {
    "customers": "views where state = 'live'", "subjects": "subjects", "events": "timeline", "marks": "marks",
    "dead_letters": "dead_letters where state = 'open'",
}  # fmt: skip
# the index of the customers has an entry for each of them alone
_RELATIONS = {"customers": "views_owner", "subjects": "subjects", "events": "timeline"}
_ABOUT = """
select r.name, greatest(c.reltuples, s.n_live_tup)::bigint from unnest($1::text[], $2::text[]) r(name, relation)
join pg_class c on c.oid = r.relation::regclass left join pg_stat_user_tables s on s.relid = c.oid"""


async def counted(rows: Callable[..., Awaitable[Sequence[Row]]], dialect: Dialect, of: Sequence[str]) -> dict[str, int]:
    about: dict[str, int] = {}
    if dialect == "postgresql" and (many := [name for name in of if name in _RELATIONS]):
        about = {row[0]: row[1] for row in await rows(_ABOUT, many, [_RELATIONS[name] for name in many])}
    few = [name for name in of if about.get(name, 0) < EXACT_BELOW]
    if few:
        asked = ", ".join(f"(select count(*) from {_ROWS[name]})" for name in few)  # noqa: S608 - constants
        about |= zip(few, (await rows(f"select {asked}"))[0], strict=True)
    return {name: about[name] for name in of}
