"""Personal values in memory: each once, beside the subjects that it was told of, until nobody's subject tells of it."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from services.profile.adapters.memory_tables import PersonalRow, Tables, ToldRow
from services.profile.domain.letters import ACCEPT, names


def erased(tables: Tables, subjects: Collection[str]) -> dict[str, int]:
    found = [row for one in subjects if (row := tables.subjects.get(one)) is not None]
    return {row.subject: row.erased_at for row in found if row.erased_at}


def save_personal(tables: Tables, values: Mapping[str, str], told: Collection[tuple[str, str]]) -> None:
    for ref, value in values.items():
        if tables.personal.get(ref) is None:
            tables.personal.put(PersonalRow(ref, value))
    for pair in told:
        tables.personal_subjects.put(ToldRow(*pair))


def erase_personal(tables: Tables, subjects: Sequence[str], at: int) -> None:
    told = tables.personal_subjects.by("subject", subjects)
    tables.personal_subjects.drop(told)
    refs = {one.ref for one in told}
    left = {one.ref for one in tables.personal_subjects.by("ref", refs)}
    tables.personal.drop(row for ref in refs - left if (row := tables.personal.get(ref)) is not None)
    for subject in subjects:
        known = tables.subjects.get(subject)
        if known is not None and known.erased_at < at:
            tables.subjects.put(known._replace(erased_at=at))


def forget_letters(tables: Tables, subjects: Collection[str]) -> None:
    for letter in tables.dead_letters.rows():
        if letter.stage == ACCEPT and names(letter.body, subjects):
            tables.dead_letters.put(msgspec.structs.replace(letter, body=b""))
