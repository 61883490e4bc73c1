"""How commands show what they found: a table for a person, JSON for a script."""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

Row = Mapping[str, Any]
_INSTANT = re.compile(r"\A(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d{1,6})?Z\Z")
WIDE = 240


def show_json(value: Any) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_rows(rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, nothing: str) -> None:
    """`columns`: field → heading. `nothing` is said to a person where there are no rows."""
    if as_json:
        show_json(rows)
    elif not rows:
        typer.echo(nothing)
    else:
        console().print(table_of(rows, columns))


def table_of(rows: Iterable[Row], columns: Mapping[str, str], title: str | None = None) -> Table:
    """The first column names the row: it is what somebody copies, and stays whole. Others break rather than lose a
    letter, and never push the last one out of the window."""
    cells = [[written(row.get(field)) for field in columns] for row in rows]
    table = Table(title=title, title_justify="left", header_style="bold")
    for place, heading in enumerate(columns.values()):
        longest = max((cell_len(row[place]) for row in cells), default=0)
        names = place == 0  # rich makes what may break smaller first, and then finds that it must not
        table.add_column(heading, min_width=longest if names else None, no_wrap=names, overflow="fold")
    for row in cells:
        table.add_row(*row)
    return table


def console() -> Console:
    """Made when needed. A pipe has no width: nothing is cut there, unless `COLUMNS` says so."""
    has_width = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(soft_wrap=False, width=None if has_width else WIDE)


def written(value: Any) -> str:
    """One cell. Markup in a value is text: what a channel sent must not paint the screen. An instant is written as `at`
    does: to the second, and a narrow column parts the day from the hour."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping) and value.keys() == {"value", "currency"}:
        return escape(f"{value['value']} {value['currency']}")
    if isinstance(value, Mapping):
        return escape(", ".join(f"{name}: {written(item)}" for name, item in value.items()))
    if isinstance(value, list | tuple):
        return escape(", ".join(str(item) for item in value)) or "-"
    return escape(_INSTANT.sub(r"\1 \2Z", str(value)))


def at(ms: int | None) -> str | None:
    """In UTC, to the second."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def progress(unit: str) -> Progress:
    """A bar on standard error, so that what a command prints can be piped. `rate` is a field of its tasks."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True),
    )  # fmt: skip
