"""The board: one snapshot as a page of a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.cli.doctor.silence import Silence
from services.cli.output import at, written
from services.cli.watch.snapshot import Snapshot


def board(seen: Snapshot, rows: int = 8) -> RenderableType:
    """`rows`: how many of the latest events and views there is room for."""
    lower = Table.grid(padding=(0, 2))
    lower.add_row(_events(seen, rows), _views(seen, rows))
    top = Panel(_totals(seen), title="Counterpoint", title_align="left")
    return Group(top, _partitions(seen), lower, _alerts(seen), _inbox(seen), *_silent_rules(seen), _sources(seen))


def _totals(seen: Snapshot) -> Text:
    counts = "   ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in seen.counts.items())
    half, most = map(_within, seen.visible_ms) if seen.visible_ms else ("", "")
    visible = f"   visible within {half} (99 %: {most})" if half else ""
    channels = "  ".join(f"{channel} {rate:,.1f}" for channel, rate in seen.by_channel.items())
    return Text(
        f"accepted {seen.accepted_rate:,.1f}/s   worked {seen.worked_rate:,.1f}/s   "
        f"views {seen.changes_rate:,.1f}/s{visible}\n"
        f"workers that refresh {seen.workers}   to be refreshed {seen.marks:,}   {counts}\n"
        f"events a second by channel: {channels or 'none yet'}"
    )


def _within(ms: float) -> str:
    """The last bucket of the histogram has no upper bound."""
    return "more than a minute" if ms == float("inf") else f"{ms:,.0f} ms" if ms < 10_000 else f"{ms / 1000:,.0f} s"


def _partitions(seen: Snapshot) -> Text:
    text = Text("lag by partition ")
    for one in seen.backlogs:
        told = "?" if one.lag is None else f"{one.lag:,}"
        style = "red" if one.state != "ok" else "yellow" if one.lag else "green"
        text.append(f" {one.partition}:{told}", style=style)
        if one.state != "ok":
            text.append(f" ({one.state})", style="red")
    return text


def _events(seen: Snapshot, rows: int) -> Table:
    latest = [((at(one.accepted_at) or "")[11:19], one.type, one.channel, one.subject) for one in seen.events[:rows]]
    return _columns(("Latest events", "Type", "Channel", "About"), latest)


def _views(seen: Snapshot, rows: int) -> Table:
    latest = [(one.customer_id[:12] + "…", one.version, one.kind) for one in seen.views[:rows]]
    return _columns(("Latest views", "Version", "Kind"), latest)


def _alerts(seen: Snapshot) -> Table:
    latest = [(one.alert_id, one.severity, one.state, one.owner, one.title) for one in seen.alerts]
    table = _columns(("Alerts", "Severity", "State", "Owner", "Title"), latest)
    table.expand, table.columns[-1].ratio = True, 1  # ids are copied: the title has what they leave
    return table


def _inbox(seen: Snapshot) -> Text:
    told = "   ".join(f"{count:,} {state}" for state, count in seen.alerts_by_state.items())
    return Text(f"alerts by state: {told or 'none yet'}")


def _silent_rules(seen: Snapshot) -> list[Text]:
    return [Text(f"{told} (counterpoint rules notices)", style="yellow") for told in seen.silent_rules]


def _columns(headings: Sequence[str], latest: Sequence[Sequence[object]]) -> Table:
    """Without lines, a row a line: a board of 80 columns has room for both tables."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in latest:
        table.add_row(*(written(cell) for cell in row))
    return table


def _sources(seen: Snapshot) -> Text:
    silent = [one for one in seen.silences if one.is_too_long]
    if not seen.silences:
        return Text("no sources are registered: `counterpoint sources set` does so", style="yellow")
    if not silent:
        heard = sum(one.is_heard for one in seen.silences)
        unheard = len(seen.silences) - heard
        never = f", {unheard} not heard of yet" if unheard else ""
        return Text(f"sources heard of within their rhythm: {heard}{never}", style="green")
    return Text("silent beyond their rhythm: " + ", ".join(_silence(one) for one in silent), style="yellow")


def _silence(one: Silence) -> str:
    hours = (one.silent_ms or 0) / 3_600_000
    return f"{one.source} ({hours:,.1f} h{'' if one.is_heard else ', never heard'})"
