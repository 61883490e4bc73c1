"""Personal values in SQL: each once, beside the subjects that it was told of, until nobody's subject tells of it."""

from collections.abc import Collection, Mapping, Sequence

from services.profile.domain.letters import ACCEPT, names
from services.sql.database import Database
from services.sql.session import Session, insert, read, writing

LETTERS_AT_ONCE = 1_000
_SAVE = insert("personal", "ref text, value text", "on conflict do nothing")
_SAVE_SUBJECTS = insert("personal_subjects", "ref text, subject text", "on conflict do nothing")
# whoever is about to tell of a value that is there already has not locked it, and would be left without: all who save
# values are waited for, and wait
_ALONE = "lock table personal in share row exclusive mode"
_TOLD = "select distinct ref from personal_subjects where subject = any($1::text[])"
_FORGET_SUBJECTS = "delete from personal_subjects where subject = any($1::text[])"
_FORGET = """
delete from personal where ref = any($1::text[])
and not exists (select 1 from personal_subjects t where t.ref = personal.ref)"""
_NOTE = "update subjects set erased_at = $2 where subject = any($1::text[]) and erased_at < $2"
ERASED = "select subject, erased_at from subjects where subject = any($1::text[]) and erased_at > 0"
_LETTERS = f"""
select letter_id, body from dead_letters where stage = '{ACCEPT}' and letter_id > $1
order by letter_id limit {{limit}}"""  # noqa: S608 - constants
_EMPTY = "update dead_letters set body = $2 where letter_id = any($1::text[])"


async def save_personal(session: Session, values: Mapping[str, str], told: Collection[tuple[str, str]]) -> None:
    await session.later(_SAVE, sorted(values.items()))
    await session.later(_SAVE_SUBJECTS, sorted(told))


async def erase_personal(session: Session, subjects: Sequence[str], at: int) -> None:
    if session.dialect == "postgresql":  # SQLite's one writer is this transaction
        await session.run(_ALONE)
    refs = [row[0] for row in await session.rows(_TOLD, list(subjects))]
    await session.run(_FORGET_SUBJECTS, list(subjects))
    await session.run(_FORGET, refs)
    await session.run(_NOTE, list(subjects), at)


async def forget_letters(database: Database, subjects: Collection[str]) -> None:
    """No index tells whom a letter names: all of them are read."""
    last = ""
    while page := await read(database, _LETTERS.format(limit=LETTERS_AT_ONCE), last):
        last = page[-1][0]
        if named := [letter_id for letter_id, body in page if names(body, subjects)]:
            async with writing(database) as session:
                await session.run(_EMPTY, named, b"")
