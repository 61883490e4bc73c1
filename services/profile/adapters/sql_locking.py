"""Subjects under lock, with the months that are asked for of each."""

from collections.abc import Mapping, Sequence

from services.profile.adapters import rows
from services.profile.ports.records import StoredSubject
from services.sql.session import Session

_LOCK = """
select subject, version, fold_version, cuts, roots, heads, erased_at from subjects
where subject = any($1::text[]) order by subject for no key update"""
# In one round trip. The parts are those of the statement's snapshot, the subjects as they are once the locks are there:
# where the snapshot has another version, somebody has written in between
_LOCK_WITH_PARTS = f"""
with locked as materialized ({_LOCK})
select l.*, p.month, p.body, s.version from locked l join subjects s on s.subject = l.subject
left join parts p on p.subject = l.subject and p.month = any($2::int[])"""  # noqa: S608 - constants
_PARTS = "select subject, month, body from parts where subject = any($1::text[]) and month = any($2::int[])"


async def lock(session: Session, wanted: Mapping[str, frozenset[int]]) -> dict[str, StoredSubject]:
    """subject → the months to load with it. Whoever has no row is left out."""
    months = {some for some in wanted.values() if some}
    if len(months) == 1 and session.dialect == "postgresql":
        return await _lock_with_parts(session, wanted, sorted(*months))
    locked = await session.rows(_LOCK, sorted(wanted))
    parts = await _parts(session, wanted)
    return {row[0]: rows.subject_of(row, parts.get(row[0], ())) for row in locked}


async def _lock_with_parts(
    session: Session, wanted: Mapping[str, frozenset[int]], months: Sequence[int]
) -> dict[str, StoredSubject]:
    found: dict[str, StoredSubject] = {}
    stale: dict[str, frozenset[int]] = {}
    for row in await session.rows(_LOCK_WITH_PARTS, sorted(wanted), months):
        subject = found.get(row[0]) or found.setdefault(row[0], rows.subject_of(row, ()))
        *_, month, body, version = row
        if version != subject.version:
            stale[row[0]] = wanted[row[0]]
        elif month in wanted[row[0]]:
            subject.months[month] = body
    for name, parts in (await _parts(session, stale)).items():
        found[name].months = dict(parts)
    return found


async def _parts(session: Session, wanted: Mapping[str, frozenset[int]]) -> dict[str, list[tuple[int, bytes]]]:
    """Read after the lock. Most subjects want the same months: one statement for each set of them."""
    by_months: dict[frozenset[int], list[str]] = {}
    for subject, months in wanted.items():
        if months:
            by_months.setdefault(months, []).append(subject)
    found: dict[str, list[tuple[int, bytes]]] = {}
    for months, subjects in by_months.items():
        for subject, month, body in await session.rows(_PARTS, subjects, sorted(months)):
            found.setdefault(subject, []).append((month, body))
    return found
