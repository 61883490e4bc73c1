"""`rules backtest` on the command line: what is asked, how far it is, and what was found."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from schemas.catalogue import load_catalogue
from schemas.topics import CHANNEL_EVENTS
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, Loaded, load_rules
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.ports import RuleSwitch
from services.alerts.settings import read_choices as read_alert_choices
from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.declared import declarations, known_of
from services.cli.output import progress, show_json, show_rows
from services.cli.positions import backlogs
from services.cli.refusals import Misuse, Refusal
from services.cli.rules.backtesting import Asked, Deployment, Found, Shown, backtest, drafted
from services.declared_files import directories
from services.failures import Unavailable
from services.profile.adapters.policies import Declarations
from services.profile.domain.reference.calendar import day_number
from services.profile.settings import read_choices

FEW = 3
RULES = {
    "rule": "Rule", "spoken": "Spoken", "alerts": "Alerts", "withdrawn": "Withdrawn", "customers": "Customers",
    "right": "Right", "alone": "Alone", "together": "Together with", "months": "When", "owners": "Whose",
}  # fmt: skip
CAUGHT = {"kind": "Planted", "planted": "Number", "caught": "Caught", "median_days_of_warning": "Days of warning"}


def backtest_rules(
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, such as 2026-05-01.")],
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")],
    rules: Annotated[
        list[str] | None, typer.Argument(metavar="[RULE_FILE | RULE...]", help="A draft, or live rules; none: all.")
    ] = None,
    clock: Annotated[
        Literal["accepted", "event"],
        typer.Option(help="When things happen again; `event`: a past that was sent later."),
    ] = "accepted",
    truth: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The planted stories, as written by `simulate --truth`."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what rules would have raised over a stored period: for how many customers, when, and how often right.

    --json lists every firing. The backtest uses the code that evaluates live, with the tiers and owners of that time
    (with --clock event they are chosen again, from 45 days before the first day on). It differs from live in two ways:
    nobody works on the alerts, and events that the timeline no longer keeps are not replayed."""
    first, last = _day(since, "--from"), _day(until, "--to")
    if last < first:
        raise Misuse(f"--to: {until} is before {since}")

    async def work(beside: Beside) -> Found:
        from services.deployment import calm_collector

        await _warn_of_waiting(beside)
        declared, choices = declarations(os.environ, beside.naming.secret), read_choices(os.environ)
        store = SqlAlertStore(beside.database)
        switches = {one.rule: one for one in await store.switches()}
        loaded, ids = _rules(rules or [], declared, switches)
        starts = declared.policy.reference.start_of
        end = min(starts(last + 1), await beside.now_ms())
        asked = Asked(loaded, ids, starts(first), end, clock, truth)
        types = load_catalogue(beside.settings.event_types)
        deployment = Deployment(beside.store, store, types, declared, choices, beside.naming.secret)
        calm_collector()  # a past decodes as much as a service does
        with _shown() as shown:
            return await backtest(asked, deployment, shown)

    _tell(in_deployment(data, work), as_json)


async def _warn_of_waiting(beside: Beside) -> None:
    """What is not updated yet would seem never to have happened: a salary on its way is a missing one."""
    try:
        async with beside.log() as log:
            waiting = sum(one.lag or 0 for one in await backlogs(log, beside, CHANNEL_EVENTS.name))
    except Unavailable as error:  # the database has all that the backtest reads
        typer.echo(f"warning: whether events wait to be processed is not known: {error}", err=True)
        return
    if waiting:
        then = "run it again once `counterpoint positions show` has no lag"
        typer.echo(
            f"warning: events that wait to be processed and are not in this backtest: {waiting:,}; {then}", err=True
        )


def _day(said: str, option: str) -> int:
    """Since 1970. Raises `Misuse`."""
    try:
        return day_number(date.fromisoformat(said))
    except ValueError:
        raise Misuse(f"{option}: a day such as 2026-05-01 is expected") from None


def _rules(said: list[str], declared: Declarations, switches: Mapping[str, RuleSwitch]) -> tuple[Loaded, list[str]]:
    """What is run, and the ids of those that are told of. Raises `Refusal`."""
    known = known_of(declared)
    live = load_rules(directories(PRODUCT, read_alert_choices(os.environ).catalogue), known, Cel(), switches)
    if len(said) == 1 and Path(said[0]).is_file():
        return drafted(Path(said[0]), known, live)
    ids = [rule.id for rule in live.rule_set.rules]
    for rule in said:
        if rule not in ids:
            raise Refusal(f"there is no rule {rule}, and no file of that name: `counterpoint rules list` shows them")
    return live, said or ids


@contextmanager
def _shown() -> Iterator[Shown]:
    with progress("events") as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, of: int, rate: str) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of or None, rate="")
            bar.update(tasks[what], completed=done, rate=rate)

        yield show


def _tell(found: Found, as_json: bool) -> None:
    if as_json:
        show_json(msgspec.to_builtins(found))
        return
    right = {one.rule: f"{one.right} of {one.known}" for one in found.right if one.known}
    rows = [
        {"rule": one.rule, "spoken": one.spoken, "alerts": one.alerts, "withdrawn": one.withdrawn, "alone": one.alone,
         "customers": len(one.customers), "right": right.get(one.rule), "months": _few(one.months, len(one.months)),
         "together": _few(one.together), "owners": _few(one.owners)}
        for one in found.rules if one.spoken
    ]  # fmt: skip
    show_rows(rows, RULES, as_json=False, nothing=_nothing(found.events))
    if found.caught:
        stories = [{**msgspec.to_builtins(one), "kind": one.kind or "all"} for one in found.caught]
        show_rows(stories, CAUGHT, as_json=False, nothing="")
    for rule, why in found.broken.items():
        typer.echo(f"{rule} was stopped: {why}", err=True)


def _nothing(events: int) -> str:
    if events:
        return f"no rule spoke in the period, of {events} events: `counterpoint rules explain CUSTOMER --all` says why"
    return "no event was known by then: a past that was sent later needs `--clock event`"


def _few(counted: Mapping[str, int], many: int = FEW) -> str:
    return ", ".join(f"{name} {times}" for name, times in islice(counted.items(), many))
