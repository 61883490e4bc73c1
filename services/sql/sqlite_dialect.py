"""What SQLite is told in other words than PostgreSQL, and what it is not told although it would take it."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from services.sql.errors import no_text

_DIFFERENCES = (
    (re.compile(r"= any\(array\((select [^()]+)\)\)"), r"in (\1)"),
    (re.compile(r"= any\(\$(\d+)::\w+\[\]\)"), r"in (select value from json_each(?\1))"),
    (re.compile(r"unnest\(\$(\d+)::\w+\[\]\)"), r"value from json_each(?\1)"),
    # SQLite's one writer holds the lock on everything already
    (re.compile(r" for (no key )?update( skip locked)?"), ""),
    (re.compile(r' collate "C"|::\w+'), ""),
    (re.compile(r"\$(\d+)"), r"?\1"),
)


@lru_cache(1024)
def for_sqlite(sql: str) -> str:
    """The few things that SQLite says in another way."""
    for pattern, replacement in _DIFFERENCES:
        sql = pattern.sub(replacement, sql)
    return sql


def plain(arguments: Sequence[Any]) -> list[Any]:
    """A list is JSON to SQLite. Raises `Rejected` as `refuse_nul` does."""
    refuse_nul(arguments)
    return [msgspec.json.encode(one).decode() if isinstance(one, list | tuple) else one for one in arguments]


def refuse_nul(values: Iterable[Any]) -> None:
    """SQLite would keep it where PostgreSQL refuses it, and find the text by some ways and not by others. Raises
    `Rejected`."""
    for value in values:
        if isinstance(value, str):
            if "\0" in value:
                raise no_text()
        elif isinstance(value, list | tuple):
            refuse_nul(value)
