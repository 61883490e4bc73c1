"""The board: one snapshot as a page of a terminal."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from schemas.instants import HOUR_MS
from services.cli.doctor.silence import Silence
from services.cli.output import at
from services.cli.watch.latest import Latest, latest, side_by_side
from services.cli.watch.snapshot import Snapshot


def board(seen: Snapshot, width: int, rows: int = 8) -> RenderableType:
    """`rows`: how many of the latest events and views there is room for, side by side; one above the other half."""
    top = Panel(_totals(seen), title="Counterpoint", title_align="left")
    lower = side_by_side(_events(seen, rows), _views(seen, rows), width)
    if lower is None:
        few = max(1, rows // 2)
        lower = Group(_events(seen, few).within(width), _views(seen, few).within(width))
    alerts = _alerts(seen).within(width)
    return Group(
        top, *_unheard(seen), _partitions(seen), lower, alerts, _inbox(seen), *_silent_rules(seen), _sources(seen)
    )


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


def _unheard(seen: Snapshot) -> list[Text]:
    """What is read from log and database is shown all the same."""
    if seen.unheard is None:
        return []
    fix = "it is asked again at every look; --url or COUNTERPOINT_URL names another one"
    return [Text(f"{seen.unheard}: how soon events are visible is not known; {fix}", style="red")]


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


def _events(seen: Snapshot, rows: int) -> Latest:
    told = [((at(one.accepted_at) or "")[11:19], one.type, one.channel, one.subject) for one in seen.events[:rows]]
    headings = ("Latest events", "Type", "Channel", "About")
    return latest(told, headings, ("Latest events", "Type", "About", "Channel"), cut="About", least=16)


def _views(seen: Snapshot, rows: int) -> Latest:
    told = [(one.customer_id, (at(one.at) or "")[11:19], one.kind) for one in seen.views[:rows]]
    headings = ("Latest views", "At", "Kind")
    return latest(told, headings, headings, cut="Latest views", least=13)


def _alerts(seen: Snapshot) -> Latest:
    """Ids are copied: the title has what they leave."""
    told = [(one.alert_id, one.severity, one.state, one.owner, one.title) for one in seen.alerts]
    headings = ("Alerts", "Severity", "State", "Owner", "Title")
    return latest(told, headings, ("Alerts", "Title", "State", "Owner", "Severity"), cut="Title", least=11)


def _inbox(seen: Snapshot) -> Text:
    told = "   ".join(f"{count:,} {state}" for state, count in seen.alerts_by_state.items())
    return Text(f"alerts by state: {told or 'none yet'}")


def _silent_rules(seen: Snapshot) -> list[Text]:
    return [Text(f"{told} (counterpoint rules notices)", style="yellow") for told in seen.silent_rules]


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
    hours = (one.silent_ms or 0) / HOUR_MS
    return f"{one.source} ({hours:,.1f} h{'' if one.is_heard else ', never heard'})"
