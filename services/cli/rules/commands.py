"""`rules`: what makes an alert; what is wrong with a file of rules; why one holds for a customer, or does not."""

import getpass
import re
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import typer

from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain import wording
from services.alerts.domain.learning import precision
from services.alerts.domain.notices import Notice, in_force
from services.alerts.domain.rules import RuleDeclared
from services.alerts.ports import MAX_WHY, RuleSwitch
from services.cli.asking import Token, Url, asking
from services.cli.beside import Actor, Beside, Data, Json, Language, Who, in_deployment
from services.cli.output import at_stake, show_json, show_rows, tell, when
from services.cli.refusals import Misuse, Refusal
from services.cli.rules.backtest import backtest_rules
from services.cli.rules.checking import check_rules, loaded_rules, tell_mistakes
from services.cli.rules.quality import refuse_unknown, rules_history, rules_notices, rules_precision
from services.expected import unfit

app = typer.Typer(
    no_args_is_help=True,
    help="The rules that raise alerts: list, check, explain, backtest, measure, switch on and off.",
)
RuleId = Annotated[str, typer.Argument(metavar="RULE", help="As `rules list` shows it.")]
Reason = Annotated[str, typer.Option(help="The reason, kept with the change.")]
COLUMNS = {
    "id": "Rule", "name": "Name", "enabled": "On", "silent": "Silent", "precision": "Precision", "kind": "Kind",
    "situation": "Situation", "switched": "Switched", "version": "Version",
}  # fmt: skip
ELSEWHERE = "COUNTERPOINT_ALERTS_CATALOGUE names their directory, and is not the same here"
MOST_EDITIONS = 10_000
EXPLAINED = {"id": "Rule", "name": "Name", "status": "Status", "because": "Condition, and what it saw"}
_NAME = re.compile(r"(?:moment\.)?[a-z_]\w*")
SILENT = ("not", "no_moment", "not_about", "disabled", "not_covered")


class _Platform(NamedTuple):
    """What a deployment knows of its rules; empty where there is none. `runs`: those that it has."""

    switches: dict[str, RuleSwitch]
    precision: dict[str, float]
    silent: dict[str, Notice]
    runs: set[str]


NOWHERE = _Platform({}, {}, {}, set())


@app.command("list")
def list_rules(language: Language = "en", data: Data = None, as_json: Json = False) -> None:
    """List all rules; in a deployment, also whether each is on and how often it was right."""
    platform = _platform(data)
    loaded = loaded_rules(platform.switches)
    rows = [_row(rule.declared, language, platform) for rule in loaded.rule_set.rules]
    show_rows(
        rows,
        COLUMNS,
        as_json=as_json,
        nothing="there are no rules: COUNTERPOINT_ALERTS_CATALOGUE names their directory",
    )
    tell_mistakes(loaded)
    if others := sorted(platform.runs - {row["id"] for row in rows}):
        typer.echo(f"the platform has {', '.join(others)}, too: {ELSEWHERE}", err=True)


app.command("check")(check_rules)


@app.command()
def explain(
    customer: Who,
    every: Annotated[bool, typer.Option("--all", help="Also those that do not hold, and which part fails.")] = False,
    language: Language = "en",
    url: Url = None,
    token: Token = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show why each rule holds for a customer now or not, and what is unknown. Asks a running platform."""
    desk = asking(data, url, token)
    told = desk.get(f"/v1/customers/{quote(desk.customer(customer), safe='')}/rules", language)
    if as_json:
        show_json(told)
        return
    if not told["up_to_date"]:
        typer.echo("not up to date: what is known since cannot be judged; `counterpoint doctor` says more", err=True)
    rows = [explained(one, told["currency"]) for one in told["rules"] if every or one["status"] not in SILENT]
    show_rows(
        rows,
        EXPLAINED,
        as_json=False,
        nothing="no rule holds, and none is in doubt: `--all` shows which part of each fails",
    )


app.command("backtest")(backtest_rules)
app.command("precision")(rules_precision)
app.command("history")(rules_history)
app.command("notices")(rules_notices)


@app.command()
def enable(rule: RuleId, reason: Reason, actor: Actor = None, data: Data = None, as_json: Json = False) -> None:
    """Switch a rule on again; running platforms follow within seconds."""
    _switch(rule, True, reason, actor, data, as_json)


@app.command()
def disable(rule: RuleId, reason: Reason, actor: Actor = None, data: Data = None, as_json: Json = False) -> None:
    """Switch a rule off; running platforms follow within seconds."""
    _switch(rule, False, reason, actor, data, as_json)


def _switch(rule_id: str, enabled: bool, reason: str, actor: str | None, data: Path | None, as_json: bool) -> None:
    if not reason.strip():
        raise Misuse("--reason: why is expected: it is kept with the switch")
    if wrong := unfit(reason, MAX_WHY):
        raise Misuse(f"--reason: {wrong}")

    async def work(beside: Beside) -> RuleSwitch:
        said = RuleSwitch(rule_id, enabled, actor or getpass.getuser(), await beside.now_ms(), reason.strip())
        store = SqlAlertStore(beside.database)
        refuse_unknown([rule_id], {one.rule for one in await store.editions(rule_id, 1) if one.declared})
        await store.switch(said)
        return said

    row = {"id": rule_id, "enabled": enabled, "switched": _switched(in_deployment(data, work))}
    tell(row, f"{rule_id} is {'on' if enabled else 'off'}", as_json=as_json)


def _platform(data: Path | None) -> _Platform:
    """Without a deployment, the rules themselves can still be looked at."""

    async def work(beside: Beside) -> _Platform:
        store = SqlAlertStore(beside.database)
        switches = {one.rule: one for one in await store.switches()}
        right = {
            rule: share for (rule, branch), share in precision(await store.learned(["rule"])).items() if not branch
        }
        silent = {one.rule: one for one in in_force(await store.notices()).values()}
        newest = {one.rule: one for one in reversed(await store.editions(None, MOST_EDITIONS))}
        return _Platform(switches, right, silent, {one.rule for one in newest.values() if one.declared})

    try:
        return in_deployment(data, work)
    except Refusal:
        if data is not None:
            raise
        return NOWHERE


def _row(rule: RuleDeclared, language: Language, platform: _Platform) -> dict[str, Any]:
    said, right = platform.switches.get(rule.id), platform.precision.get(rule.id)
    silent = platform.silent.get(rule.id)
    return {
        "id": rule.id, "version": rule.version, "signal": rule.signal, "kind": rule.kind, "situation": rule.situation,
        "enabled": rule.enabled, "name": wording.said(rule.name, language),
        "precision": None if right is None else round(right, 2),
        "silent": silent and {"matter": silent.matter, "at": when(silent.at)},
        "switched": said and _switched(said),
    }  # fmt: skip


def _switched(said: RuleSwitch) -> dict[str, Any]:
    return {"at": when(said.at), "actor": said.actor, "reason": said.note}


def explained(rule: dict[str, Any], currency: str | None) -> dict[str, Any]:
    """With the parts that decide: those that hold where the rule does, that do not, or that cannot be known; and what
    these saw."""
    parts = [one["condition"] for one in rule["parts"] if one["holds"] is rule["holds"]]
    asked = set(_NAME.findall(" ".join(parts)))
    seen = [f"{name} {wording.shown(value)}" for name, value in rule["values"].items() if name in asked]
    unknown = [f"{name} is not known" for name in rule["missing"]]
    uncovered = [f"no source tells {name}" for name in rule["not_covered"]]
    rests = f"until {rule['cooling_until']}" if rule["status"] == "cooling_down" else ""
    why = [one for one in (rule["held_back_by"], rule["why"], rests) if one]
    status = " ".join([rule["status"].replace("_", " "), *why])
    said = [f"said in {rule['alert_id']}"] if rule["alert_id"] else []
    because = "\n".join(
        [*parts, *(f"· {one}" for one in (*unknown, *uncovered, *seen, *_at_stake(rule, currency), *said))]
    )
    return {**rule, "status": status, "because": because}


def _at_stake(rule: dict[str, Any], currency: str | None) -> list[str]:
    """Nothing where there is none, or where a rule does not hold and so was not asked."""
    if rule["value_is"] == "unknown":
        return ["what is at stake is not known"]
    return [f"at stake {at_stake(rule['value'], currency)}"] if rule["value"] else []
