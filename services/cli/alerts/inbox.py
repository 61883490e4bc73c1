"""`alerts`: the inbox from a terminal, worked as a person with a token, beside a running platform."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from schemas.instants import instant, millis
from services.alerts.domain.alert import Result
from services.alerts.domain.rules import Kind, Situation
from services.alerts.ports import STATES_ASKED
from services.cli.alerts.day import show_day
from services.cli.alerts.pages import alerts_asked
from services.cli.alerts.tables import LISTED, list_row, print_alert, print_events
from services.cli.alerts.team import show_team
from services.cli.alerts.words import MORE_ALERTS, NO_SUCH_ALERT, headed, worded
from services.cli.asking import Token, Url, asking
from services.cli.beside import WHO, Data, Json, Language, Port, environment_of, who_is_meant
from services.cli.output import LEFT_OUT, console, show_json, show_rows
from services.cli.refusals import Misuse

app = typer.Typer(no_args_is_help=True, help="The inbox: customer situations that need action, and the steps taken.")
AlertId = Annotated[str, typer.Argument(metavar="ALERT", help="Its id, as in `alerts list`.")]
Note = Annotated[str, typer.Option(help="A note, kept with the step.")]
STEPS_BY = "manager"


@app.command("list")
def list_alerts(
    owner: Annotated[str | None, typer.Option(help="A manager's id, or queue:BRANCH.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only the portfolio of the token's manager.")] = False,
    state: Annotated[str, typer.Option(help="open, all, or states such as routed,claimed.")] = "open",
    kind: Annotated[Kind | None, typer.Option(help="guard: alerts of care.")] = None,
    severity: Annotated[int | None, typer.Option(min=1, max=3)] = None,
    situation: Annotated[Situation | None, typer.Option()] = None,
    customer: Annotated[str | None, typer.Option(help=WHO, callback=who_is_meant)] = None,
    rule: Annotated[str | None, typer.Option(help="Only alerts that this rule contributes to.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 30,
    everything: Annotated[bool, typer.Option("--all", help="All alerts, without a limit.")] = False,
    language: Language = "en",
    url: Url = None,
    token: Token = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List alerts, highest rank first."""
    if not set(state.split(",")) <= set(STATES_ASKED):
        raise Misuse(f"--state: {', '.join(STATES_ASKED)} are expected, with commas between them")
    inbox = asking(data, url, token)
    where = {
        "owner": owner, "mine": mine or None, "state": state, "kind": kind, "severity": severity,
        "situation": situation, "customer": inbox.customer(customer) if customer else None, "rule": rule,
    }  # fmt: skip
    ask = partial(inbox.get, "/v1/alerts", language, **where)
    found, more = alerts_asked(ask, None if everything else limit)
    if as_json:
        show_json(found)
        return
    nothing, left_out = worded(NO_SUCH_ALERT, language), worded(LEFT_OUT, language)
    show_rows(
        [list_row(one) for one in found], headed(LISTED, language), as_json=False, nothing=nothing, left_out=left_out
    )
    if more:
        typer.echo(worded(MORE_ALERTS, language))


@app.command()
def show(
    alert: AlertId, language: Language = "en", url: Url = None, token: Token = None, data: Data = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show one alert: why it was raised, what to do, and what was done."""
    told = asking(data, url, token).get(_path(alert), language)
    if as_json:
        show_json(told)
    else:
        print_alert(console(), told, language)


@app.command()
def events(
    alert: AlertId, url: Url = None, token: Token = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Show the events behind an alert: what each fact was counted from when the rule saw it."""
    told = asking(data, url, token).get(f"{_path(alert)}/events")
    if as_json:
        show_json(told)
    else:
        print_events(console(), told)


@app.command()
def claim(
    alert: AlertId, note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False
) -> None:
    """Take an alert over; of two simultaneous claims one is refused."""
    _step(alert, "claim", {"note": note}, data, url, token, as_json)


@app.command()
def snooze(
    alert: AlertId,
    until: Annotated[str, typer.Option(help="A time such as 2026-11-30T09:00+08:00.")],
    note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Put an alert off until a time; it then comes back by itself."""
    _step(alert, "snooze", {"until": _instant("--until", until), "note": note}, data, url, token, as_json)


@app.command()
def plan(
    alert: AlertId,
    at: Annotated[str, typer.Option(help="When: a time such as 2026-11-30T09:00+08:00.")],
    note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Record a planned visit or call."""
    _step(alert, "plan", {"at": _instant("--at", at), "note": note}, data, url, token, as_json)


@app.command()
def contact(
    alert: AlertId, note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False
) -> None:
    """Record that the customer was contacted."""
    _step(alert, "contact", {"note": note}, data, url, token, as_json)


@app.command()
def outcome(
    alert: AlertId,
    result: Annotated[Result, typer.Argument(help="The outcome.")],
    reason: Annotated[str, typer.Option(help="Why it was not relevant: the rule learns from it.")] = "",
    product: Annotated[str, typer.Option(help="What was sold.")] = "",
    amount: Annotated[str | None, typer.Option(help='The amount sold, such as "50000.00 CNY".')] = None,
    note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Close an alert with its outcome."""
    body = {"result": result, "reason": reason, "product": product, "amount": _money(amount), "note": note}
    _step(alert, "outcome", body, data, url, token, as_json)


@app.command()
def reassign(
    alert: AlertId,
    to: Annotated[str, typer.Option(help="A manager's id, or queue:BRANCH.")],
    note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Give an alert to another manager or queue."""
    _step(alert, "reassign", {"to": to, "note": note}, data, url, token, as_json)


@app.command("false-alarm")
def false_alarm(
    alert: AlertId, note: Note = "", url: Url = None, token: Token = None, data: Data = None, as_json: Json = False
) -> None:
    """Close an alert as not relevant, in one step."""
    _step(alert, "false-alarm", {"note": note}, data, url, token, as_json)


app.command("day")(show_day)
app.command("team")(show_team)


@app.command()
def serve(data: Data = None, port: Port = None) -> None:
    """Start a worker that evaluates the rules and serves the inbox; start as many as you need."""
    # the whole service comes along, and who only reads the inbox need not wait for it
    from services.cli.run.alerting import run
    from services.deployment import forever

    forever(lambda: run(environment_of(data, port)))


def _step(
    alert: str, action: str, body: dict[str, Any], data: Path | None, url: str | None, token: str | None, as_json: bool
) -> None:
    told = asking(data, url, token, STEPS_BY).post(f"{_path(alert)}/{action}", body)
    if as_json:
        show_json(told)
        return
    possible = ", ".join(told["possible"]).replace("_", "-")
    typer.echo(f"{told['alert_id']} is {told['state']}" + (f"; possible now: {possible}" if possible else ""))


def _path(alert: str) -> str:
    """Raises `Misuse`."""
    if not alert.strip():
        raise Misuse("say which alert: `counterpoint alerts list` shows their ids")
    return f"/v1/alerts/{quote(alert, safe='')}"


def _instant(option: str, text: str) -> str:
    """A visit is at an hour of the bank's, and nobody is asked which zone was meant. Raises `Misuse`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise Misuse(f"{option}: a time with its zone is expected, such as 2026-11-30T09:00+08:00")
    return instant(millis(at))


def _money(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    value, _, currency = text.strip().partition(" ")
    if not currency.strip():
        raise Misuse('--amount: an amount with its currency is expected, such as "50000.00 CNY"')
    return {"value": value, "currency": currency.strip()}
