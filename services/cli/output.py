"""How commands show what they found: a table for a person, JSON for a script."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape, render
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from schemas.instants import instant
from services.cli.layout import widths

Row = Mapping[str, Any]
_INSTANT = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\Z")
WIDE = 240
LEFT_OUT = "Left out in a window of this width"


def show_json(value: Any) -> None:
    """In UTF-8, whatever a terminal shows: RFC 8259, 8.1."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def tell(value: Any, sentence: str, *, as_json: bool) -> None:
    """Of what was done: `value` to a script, `sentence` to a person."""
    if as_json:
        show_json(value)
    else:
        typer.echo(sentence)


def show_rows(
    rows: Sequence[Row], columns: Mapping[str, str], *, as_json: bool, nothing: str, left_out: str = LEFT_OUT
) -> None:
    """`columns`: field → heading. `nothing` is said to a person where there are no rows."""
    if as_json:
        show_json(rows)
    elif not rows:
        typer.echo(nothing)
    else:
        print_table(console(), rows, columns, left_out=left_out)


def print_table(
    console: Console,
    rows: Sequence[Row],
    columns: Mapping[str, str],
    title: str | None = None,
    left_out: str = LEFT_OUT,
) -> None:
    """`columns`: in the order of their worth. What somebody copies stays whole: a column that has no room for its
    longest word is left out, and told of below with the words of `left_out`."""
    cells = {field: [render(written(row.get(field)), emoji=False) for row in rows] for field in columns}
    texts = {field: [columns[field], *(cell.plain for cell in found)] for field, found in cells.items()}
    kept = widths(texts, console.width)
    missing = ", ".join(heading for field, heading in columns.items() if field not in kept)
    told = f"{left_out}: {missing}" if missing else None
    table = Table(title=title, title_justify="left", header_style="bold", caption=told, caption_justify="left")
    for field, width in kept.items():
        table.add_column(columns[field], width=width, overflow="fold")
    for row in zip(*(cells[field] for field in kept), strict=True):
        table.add_row(*row)
    console.print(table)


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
        return ", ".join(f"{escape(str(name))}: {written(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(written, value)) or "-"
    text = str(value)
    return escape(_local(datetime.fromisoformat(text)) if _INSTANT.fullmatch(text) else text)


def at_stake(value: float, currency: str | None) -> str:
    """To the unit, as the texts beside it write money."""
    return f"{currency or ''} {value:,.0f}".lstrip()


def when(ms: int | None) -> str | None:
    """As the API tells a time: what is a row of a table is JSON for a script."""
    return None if ms is None else instant(ms)


def at(ms: int | None) -> str | None:
    """To the second."""
    return None if ms is None else _local(datetime.fromtimestamp(ms / 1000, UTC))


def _local(moment: datetime) -> str:
    """By the clocks of whoever reads it, with how far these are from UTC."""
    try:
        here = moment.astimezone()
    except (OverflowError, ValueError):  # at either end of the calendar
        here = moment
    return here.replace(microsecond=0).isoformat(" ").replace("+00:00", "Z")


def counted(number: int, one: str, many: str) -> str:
    """A number with what follows it: `1 event waits`, `2 events wait`."""
    return f"{number:,} {one if number == 1 else many}"


def progress(unit: str) -> Progress:
    """A bar on standard error, so that what a command prints can be piped. `rate` is a field of its tasks."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True),
    )  # fmt: skip
