"""The board: one snapshot as a page of a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.cli.output import at, written
from services.cli.snapshot import Silence, Snapshot


def board(seen: Snapshot, rows: int = 8) -> RenderableType:
    """`rows`: how many of the latest events and views there is room for."""
    lower = Table.grid(padding=(0, 2))
    lower.add_row(_events(seen, rows), _views(seen, rows))
    top = Panel(_totals(seen), title="Counterpoint", title_align="left")
    return Group(top, _partitions(seen), lower, _alerts(seen), _inbox(seen), _sources(seen))


def _totals(seen: Snapshot) -> Text:
    told = (name for name in seen.counts if name != "marks")  # the line's beginning says how many wait
    counts = "   ".join(f"{seen.counts[name]:,} {name.replace('_', ' ')}" for name in told)
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
    latest = [((at(one.accepted_at) or "")[11:19], one.type, one.channel, one.subject) for one in seen.events[:rows]]
    return _columns(("Latest events", "Type", "Channel", "About"), latest)


def _views(seen: Snapshot, rows: int) -> Table:
    latest = [(one.customer_id[:12] + "…", one.version, one.kind) for one in seen.views[:rows]]
    return _columns(("Latest views", "Version", "Kind"), latest)


def _alerts(seen: Snapshot) -> Table:
    latest = [(one.title, one.severity, one.state, one.owner, one.alert_id) for one in seen.alerts]
    return _columns(("Alerts", "Severity", "State", "Owner", "Id"), latest)


def _inbox(seen: Snapshot) -> Text:
    told = "   ".join(f"{count:,} {state}" for state, count in seen.alerts_by_state.items())
    return Text(f"alerts by state: {told or 'none yet'}")


def _columns(headings: Sequence[str], latest: Sequence[Sequence[object]]) -> Table:
    """Without lines, a row a line: a board of 80 columns has room for both tables."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in latest:
        table.add_row(*(written(cell) for cell in row))
    return table


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
