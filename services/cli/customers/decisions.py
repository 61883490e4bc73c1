"""`customers merge`, `split` and `erase`: decisions about who is who, and about who is to be forgotten."""

import getpass
import sys
from typing import Annotated

import msgspec
import typer

from schemas.identifiers import SUBJECT_LIMITS
from services.cli.beside import WHO, Actor, Beside, Data, Json, Who, in_deployment, who_is_meant
from services.cli.customers.commands import app, reading, the_one
from services.cli.declared import declared_fold
from services.cli.output import tell, when
from services.cli.refusals import Misuse
from services.profile.decide import Decide, Said
from services.profile.ports.records import Decision

Reason = Annotated[str, typer.Option(help="The reason, kept with the decision.")]
GOES_AND_STAYS = """\
Erasing {who} cannot be undone.
Gone: names, addresses, phone numbers, e-mail addresses, notes and the names of counterparties, as far as the customer's
own numbers, accounts and cases have told of them. Phone, e-mail and national id lead to the customer no longer, nothing
counts as consented to, and open alerts are withdrawn.
Kept: movements, balances, contacts and cases under ids that name nobody, and what accounts shared with others told."""


@app.command()
def merge(who: Who, other: Who, reason: Reason, actor: Actor = None, data: Data = None, as_json: Json = False) -> None:
    """Merge two customers into one; `split` undoes it."""

    async def work(beside: Beside) -> Decision:
        read = await reading(beside)
        left, right = await the_one(read, who), await the_one(read, other)
        return await _decide(beside).merge(
            left.view.customer_id, right.view.customer_id, await _said(beside, actor, reason)
        )

    _told(in_deployment(data, work), as_json)


@app.command()
def split(
    reason: Reason,
    who: Annotated[
        str | None,
        typer.Argument(metavar="CUSTOMER", help=f"{WHO} Not needed with --decision.", callback=who_is_meant),
    ] = None,
    decision: Annotated[str | None, typer.Option(help="The decision to undo, if there are several.")] = None,
    subject: Annotated[str | None, typer.Option(help="Detach this subject (account:6001…) instead of undoing.")] = None,
    actor: Actor = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Undo the customer's merge, or detach a subject that belongs to somebody else."""
    if decision and subject:
        raise Misuse("say either --decision or --subject")
    if not who and not decision:
        raise Misuse("give the customer to split, or the --decision to undo")

    async def work(beside: Beside) -> Decision:
        decide, said = _decide(beside), await _said(beside, actor, reason)
        customer_id = (await the_one(await reading(beside), who)).view.customer_id if who else ""
        if decision:
            return await decide.undo(decision, said, customer_id or None)
        if subject:
            return await decide.detach(customer_id, subject, said)
        return await decide.split(customer_id, said)

    _told(in_deployment(data, work), as_json)


@app.command()
def erase(
    who: Who,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    actor: Actor = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Erase a customer's personal data for good; movements and balances stay."""
    if not yes:
        _confirm(who)

    async def work(beside: Beside) -> Decision:
        found = await the_one(await reading(beside), who)
        return await _decide(beside).erase(found.view.customer_id, await _said(beside, actor, reason))

    _told(in_deployment(data, work), as_json)


def _confirm(who: str) -> None:
    """Raises `Misuse` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise Misuse("this cannot be undone: say --yes where nobody can be asked")
    kind, equals, _ = who.partition("=")
    named = f"the customer of this {kind}" if equals and kind not in ("customer_no", "account_no") else who
    typer.echo(GOES_AND_STAYS.format(who=named), err=True)
    typer.confirm("Erase?", abort=True, err=True)


def _told(decision: Decision, as_json: bool) -> None:
    told = f"{decision.kind} is decided as {decision.decision_id}; a running worker shows it at once"
    tell({**msgspec.to_builtins(decision), "at": when(decision.at)}, told, as_json=as_json)


async def _said(beside: Beside, actor: str | None, reason: str) -> Said:
    return Said(actor or getpass.getuser(), reason, await beside.now_ms())


def _decide(beside: Beside) -> Decide:
    return Decide(beside.store, declared_fold(), SUBJECT_LIMITS)
