"""The board: one snapshot as a page of a terminal."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.cli.output import at, table_of
from services.cli.snapshot import Silence, Snapshot


def board(seen: Snapshot, rows: int = 8) -> RenderableType:
    """`rows`: how many of the latest events and views there is room for."""
    lower = Table.grid(expand=True, padding=(0, 1))
    lower.add_column(ratio=3)
    lower.add_column(ratio=2)
    lower.add_row(_events(seen, rows), _views(seen, rows))
    return Group(
        Panel(_totals(seen), title="Counterpoint", title_align="left"), _partitions(seen), lower, _sources(seen)
    )


def _totals(seen: Snapshot) -> Text:
    counts = "   ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in seen.counts.items())
    visible = (
        "" if seen.visible_ms is None else "   visible within {:,.0f} ms (99 %: {:,.0f} ms)".format(*seen.visible_ms)
    )
    channels = "  ".join(f"{channel} {rate:,.1f}" for channel, rate in seen.by_channel.items())
    return Text(
        f"accepted {seen.accepted_rate:,.1f}/s   worked {seen.worked_rate:,.1f}/s   "
        f"views {seen.changes_rate:,.1f}/s{visible}\n"
        f"{seen.workers} workers   {seen.marks:,} customers to be refreshed   {counts}\n"
        f"events a second by channel: {channels or 'none yet'}"
    )


def _partitions(seen: Snapshot) -> Text:
    text = Text("lag by partition ")
    for place in seen.places:
        told = "?" if place.lag is None else f"{place.lag:,}"
        style = "red" if place.state != "ok" else "yellow" if place.lag else "green"
        text.append(f" {place.partition}:{told}", style=style)
        if place.state != "ok":
            text.append(f" ({place.state})", style="red")
    return text


def _events(seen: Snapshot, rows: int) -> Table:
    latest = [{**one._asdict(), "accepted_at": at(one.accepted_at)} for one in seen.events[:rows]]
    return table_of(latest, {"accepted_at": "Latest events", "type": "Type", "channel": "Channel", "subject": "About"})


def _views(seen: Snapshot, rows: int) -> Table:
    latest = [one._asdict() for one in seen.views[:rows]]
    columns = {"customer_id": "Latest views", "version": "Version", "kind": "Kind", "moments": "Moments"}
    return table_of(latest, columns)


def _sources(seen: Snapshot) -> Text:
    silent = [one for one in seen.silences if one.silent_ms > one.rhythm_ms]
    if not seen.silences:
        return Text("no sources are registered", style="yellow")
    if not silent:
        return Text(f"all {len(seen.silences)} sources are heard of within their rhythm", style="green")
    return Text("silent beyond their rhythm: " + ", ".join(_silence(one) for one in silent), style="yellow")


def _silence(one: Silence) -> str:
    hours = one.silent_ms / 3_600_000
    return f"{one.source} ({hours:,.1f} h)" if hours < 24 * 365 else f"{one.source} (never heard)"
