"""Links and memberships in SQL. Whoever writes them holds the lock of their subject."""

from collections.abc import Sequence

from services.profile.adapters import rows
from services.profile.adapters.every_store.joining import join_links
from services.profile.domain.identity.links import Link, Membership
from services.sql.session import Session, insert

_LINKS_BETWEEN = f"""
select {rows.LINK} from links where subject = any($1::text[]) and target = any($2::text[])"""  # noqa: S608 - constants
_SAVE_LINKS = insert(
    "links",
    "subject text, target text, role text, first_at bigint, told_at text, past bool, ends text, barred_by text,"
    " source text, event_id text",
    """on conflict (subject, target, role) do update set first_at = excluded.first_at, told_at = excluded.told_at,
    past = excluded.past, ends = excluded.ends, barred_by = excluded.barred_by, source = excluded.source,
    event_id = excluded.event_id""",
)
_LINKS_AROUND = f"""
with recursive
below(subject) as (
    select unnest($1::text[]) collate "C"
    union select l.subject from below b join links l on l.target = b.subject),
around(subject) as (
    select subject from below
    union select l.target from around a join links l on l.subject = a.subject)
select {rows.LINK} from around join links using (subject)"""  # noqa: S608 - constants
_MEMBERSHIPS = "select root, subject, role, from_at, until_at from memberships where subject = any($1::text[])"
_DROP_MEMBERSHIPS = "delete from memberships where subject = any($1::text[])"


async def add_links(session: Session, links: Sequence[Link]) -> list[Link]:
    if not links:
        return []
    ends = sorted({link.subject for link in links}), sorted({link.target for link in links})
    stored = {link.key: link for link in map(rows.link_of, await session.rows(_LINKS_BETWEEN, *ends))}
    joined = join_links(stored, links)
    await session.bulk(_SAVE_LINKS, [rows.link_row(link) for link in joined.written])
    return joined.changed


async def links_around(session: Session, subjects: Sequence[str]) -> list[Link]:
    return [rows.link_of(row) for row in await session.rows(_LINKS_AROUND, list(subjects))]


async def memberships_of(session: Session, subjects: Sequence[str]) -> list[Membership]:
    return [Membership(*row) for row in await session.rows(_MEMBERSHIPS, list(subjects))]


async def replace_memberships(session: Session, subjects: Sequence[str], memberships: Sequence[Membership]) -> None:
    if subjects:
        await session.run(_DROP_MEMBERSHIPS, list(subjects))
        await session.append("memberships", ", ".join(Membership._fields), sorted(set(memberships)))
