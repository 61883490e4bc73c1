"""Alerts on a terminal: a row each, or one on a page of its own."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from services.alerts.domain.wording import shown
from services.cli.alerts.words import headed, worded
from services.cli.output import LEFT_OUT, Row, at_stake, print_table, written

LISTED = {"alert_id": "Alert", "grade": "Grade", "customer_name": "Customer", "title": "Title", "stands": "State",
          "due_at": "Due", "owner": "Owner", "customer_id": "Customer id"}  # fmt: skip
EVIDENCE = {"rule": "Rule", "text": "Evidence", "values": "Seen", "occurred_at": "When", "ended_at": "Ended"}
HISTORY = {"at": "When", "actor": "Who", "action": "Step", "state": "State", "note": "Note"}
_EVENT = {"id": "Event", "occurred_at": "When", "type": "Type", "amount": "Amount", "counts": "Counts",
          "channel": "Channel", "counterparty": "Other side"}  # fmt: skip
_SAID = (("Reason", "reason"), ("Suggested", "suggested"), ("May be said", "may_say"),
         ("Must not be said", "must_not_say"))  # fmt: skip

_UNTIL = {"planned": "planned_at", "snoozed": "snoozed_until"}
_WORDINGS = {"service_only": "Service only: nothing may be offered",
             "other_channels": "Nothing may be offered by a channel that the customer refused"}  # fmt: skip


def list_row(alert: Row) -> Row:
    return {**alert, "stands": _stands(alert), "due_at": _due(alert)}


def print_alert(console: Console, alert: Row, language: str) -> None:
    say = partial(worded, language=language)
    console.print(Text(f"{alert['title']}  {alert['alert_id']}", style="bold"))
    console.print(Text(
        f"{say('Customer')}: {_called(alert)}   {say('Kind')}: {alert['kind']}, {alert['situation']}   "
        f"{say('Severity')}: {alert['severity']}, {say('grade')} {alert['grade'] or '-'}   "
        f"{say('At stake')}: {_at_stake(alert) or say('unknown')}"
    ))  # fmt: skip
    console.print(Text(
        f"{say('State')}: {_stands(alert)}   {say('Owner')}: {alert['owner'] or '-'}   "
        f"{say('Claimed by')}: {alert['claimed_by'] or '-'}   {say('Due')}: {written(_due(alert))}"
    ))  # fmt: skip
    if alert["wording"]:
        console.print(Text(say(_WORDINGS[alert["wording"]])))
    for heading, field in _SAID:
        if alert[field]:
            console.print(Text(f"{say(heading)}: {alert[field]}"))
    print_table(console, [_evidence_row(one) for one in alert["evidence"]], headed(EVIDENCE, language),
                left_out=say(LEFT_OUT))  # fmt: skip
    print_table(console, alert["history"], headed(HISTORY, language), left_out=say(LEFT_OUT))
    if alert["outcome"]:
        told = {name: value for name, value in alert["outcome"].items() if value}
        rows = [{"what": name, "told": value} for name, value in told.items()]
        print_table(console, rows, {"what": say("Outcome"), "told": ""})


def _called(alert: Row) -> str:
    return "  ".join(filter(None, (alert["customer_name"], alert["customer_id"])))


def _at_stake(alert: Row) -> str:
    return "" if alert["value"] is None else at_stake(alert["value"], alert["currency"])


def print_events(console: Console, told: Row) -> None:
    """Several rules see the same facts: each is laid out once."""
    shown_under: dict[tuple[Any, ...], str] = {}
    for one in told["evidence"]:
        rule, of = one["rule"], f", of {one['origin']}" if one["origin"] else ""
        console.print(Text(f"{rule['id']} v{rule['version']}, seen at {written(one['seen_at'])}{of}", style="bold"))
        if one["event"]:
            _print_events(console, [one["event"]], "The event itself")
        for fact in one["facts"]:
            same = (fact["name"], fact["value"], fact["since"], fact["until"])
            if fact["events"] and same in shown_under:
                console.print(Text(f"{_valued(fact)}: the events above, under {shown_under[same]}"))
            else:
                _print_fact(console, fact)
                shown_under[same] = rule["id"]


def _print_fact(console: Console, fact: Row) -> None:
    value = _valued(fact)
    if fact["events"] is None:
        console.print(Text(f"{value}: {fact['why']}"))
        return
    title = (
        f"{value}, from {written(fact['since'])} to {written(fact['until'])}"
        if fact["since"]
        else f"{value}: {fact['why']}"
    )
    if fact["adds_up"] is False:
        title += f"\n{shown(fact['counted'])} from these: {fact['why']}"
    if fact["left_out"]:
        title += f"\nThe newest of {len(fact['events']) + fact['left_out']}"
    if fact["events"]:
        _print_events(console, fact["events"], escape(title))
    else:
        console.print(Text(f"{title}: no event"))
    if fact["came_later"]:
        _print_events(console, fact["came_later"], "Of that time, and accepted only afterwards")


def _valued(fact: Row) -> str:
    return f"{fact['name']} = {shown(fact['value'])}"


def _print_events(console: Console, events: Iterable[Row], title: str) -> None:
    print_table(console, [_event_row(one) for one in events], _EVENT, title)


def _event_row(one: Row) -> Row:
    counts = None if one.get("counts") is None else shown(one["counts"])
    return {**one, "counts": counts}


def _stands(alert: Row) -> str:
    """With what it waits for: a guard, the visit that is planned, the time that it was put off to."""
    time = _UNTIL.get(alert["state"])
    stands = f"{alert['state']} for {written(alert[time])}" if time else str(alert["state"])
    return f"{stands}, waits: {alert['waiting']}" if alert["waiting"] else stands


def _due(alert: Row) -> str | None:
    """What is planned or put off is due then, whatever the time to answer was."""
    return None if alert["state"] in _UNTIL else alert["due_at"]


def _evidence_row(one: dict[str, Any]) -> Row:
    """The text tells of the moment; what it was made of is for `--json`."""
    seen = {name: shown(value) for name, value in one["values"].items() if not name.startswith("moment.")}
    return {**one, "rule": f"{one['rule']['id']} v{one['rule']['version']}", "values": seen}
