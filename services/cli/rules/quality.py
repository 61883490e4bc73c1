"""`rules precision`, `rules history` and `rules notices`: how right rules are, where and in whose hands; how they
became what they are; and which do not speak now."""

from collections.abc import Iterable, Set
from typing import Annotated, Any

import msgspec
import typer

from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.editions import Edition
from services.alerts.domain.learning import PARTS, Learned, tallies
from services.alerts.domain.notices import Notice, in_force, sentence, to_do
from services.cli.beside import Beside, Data, Json, Language, in_deployment
from services.cli.output import show_json, show_rows, when
from services.cli.refusals import Misuse, Refusal
from services.cli.rules.checking import loaded_rules

HEADINGS = {"rule": "Rule", "branch": "Branch", "owner": "Owner"}
COUNTED = {"closed": "Closed", "not_relevant": "Not relevant", "relevant": "Relevant"}
HISTORY = {"at": "When", "of": "Rule or file", "version": "Version", "change": "Change", "actor": "Who", "note": "Note"}
NOTICES = {"at": "When", "said": "What", "actor": "Who", "note": "Note"}
_NONE_CLOSED = "no alert was closed with an outcome yet: `counterpoint alerts outcome` and `false-alarm` do so"
_NOTHING_WRITTEN = "nothing is written down yet: a platform does so when it takes rules up (`counterpoint rules list`)"


def rules_precision(
    rules: Annotated[list[str] | None, typer.Argument(metavar="[RULE...]", help="Only these.")] = None,
    by: Annotated[str, typer.Option(help="rule, branch, owner, or several separated by commas.")] = "rule",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """How often alerts were relevant: by rule, branch, owner or a combination."""
    parts = [part for part in PARTS if part in by.split(",")]
    if not parts or set(by.split(",")) - set(PARTS):
        raise Misuse(f"--by: {', '.join(PARTS)} are expected, with commas between them")

    async def work(beside: Beside) -> list[Learned]:
        return await SqlAlertStore(beside.database).learned(parts)

    everything = in_deployment(data, work)
    refuse_unknown(rules or (), {one.rule for one in everything})
    learned = [one for one in everything if not rules or one.rule in rules]
    rows: list[dict[str, Any]] = [
        {**dict(zip(parts, key, strict=True)), **tally._asdict(), "relevant": round(tally.relevant, 4)}
        for key, tally in tallies(learned, parts).items()
    ]
    shown = rows if as_json else [{**row, "relevant": f"{row['relevant']:.0%}"} for row in rows]
    columns = {part: HEADINGS[part] for part in parts} | COUNTED
    nothing = f"no alert of {', '.join(rules)} was closed with an outcome yet" if rules else _NONE_CLOSED
    show_rows(shown, columns, as_json=as_json, nothing=nothing)


def rules_history(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="Only of this one; or a file: desk.yaml.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """How rules and the files beside them have changed, by whom and why; with --json each version in full."""

    async def work(beside: Beside) -> list[Edition]:
        return await SqlAlertStore(beside.database).editions(rule, limit)

    found = in_deployment(data, work)
    if rule and not found:
        refuse_unknown([rule], set())
    rows = [
        {"at": when(one.at), "rule": one.rule or None, "version": one.declared and one.declared.version,
         "change": one.change, "actor": one.actor, "note": one.note, "rule_set": one.rule_set, "file": one.file,
         "declared": msgspec.to_builtins(one.declared), "settings": one.settings}
        for one in found
    ]  # fmt: skip
    shown = rows if as_json else [{**row, "of": row["rule"] or row["file"]} for row in rows]
    show_rows(shown, HISTORY, as_json=as_json, nothing=_NOTHING_WRITTEN)


def rules_notices(
    every: Annotated[bool, typer.Option("--all", help="Also those that have ended; newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    language: Language = "en",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Rules that are silent at present, why, and what to do.

    They are throttled for too many wrong alerts, paused by a burst, or stopped by a value of the wrong type."""

    async def work(beside: Beside) -> list[Notice]:
        store = SqlAlertStore(beside.database)
        return await store.recent_notices(0, limit) if every else list(in_force(await store.notices()).values())

    rows = [
        {"rule": one.rule, "matter": one.matter, "began": one.began, "owner": one.owner or None, "at": when(one.at),
         "actor": one.actor, "note": one.note, "said": sentence(one, language), "to_do": to_do(one, language)}
        for one in in_deployment(data, work)
    ]  # fmt: skip
    if as_json:
        show_json(rows)
        return
    told = [{**row, "said": f"{row['said']}\n{row['to_do']}".strip()} for row in rows]
    show_rows(
        told,
        NOTICES,
        as_json=False,
        nothing="every rule that is switched on is active" + ("" if every else ": `--all` shows what has ended"),
    )


def refuse_unknown(rules: Iterable[str], heard_of: Set[str]) -> None:
    """`heard_of`: rules that are kept although no file here has them. Raises `Refusal`."""
    known = {rule.declared.id for rule in loaded_rules({}).rule_set.rules}
    for rule in rules:
        if rule not in known | heard_of:
            raise Refusal(f"there is no rule {rule}: `counterpoint rules list` shows them")
