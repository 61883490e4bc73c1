"""`dead-letters`: what could not be used. A replay goes in by the front door, under the source that sent it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import typer

from schemas.catalogue import load_catalogue
from services.cli.beside import Beside, Data, Json, address_of, in_deployment
from services.cli.dead_letters.reentry import event_of
from services.cli.output import at, show_json, show_rows
from services.cli.refusals import Refusal
from services.clock import SystemClock
from services.ingest.domain.sources import EVERY
from services.ingest.registry import create_key, revoke_key
from services.profile.ports.records import StoredDeadLetter
from services.replay.send import Answer, http_publisher

app = typer.Typer(no_args_is_help=True, help="What could not be used: look at it, send it again after a fix.")
COLUMNS = {"letter_id": "Letter", "at": "When", "stage": "Stage", "source": "Source", "reason": "Reason",
           "field": "Field", "message": "What to do"}  # fmt: skip
MOST = 10_000


@app.command("list")
def list_letters(
    replayed: Annotated[
        bool, typer.Option("--replayed", help="Those that were replayed instead of the open ones.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Only of this reason.")] = None,
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """The newest first."""

    async def work(beside: Beside) -> list[dict[str, Any]]:
        found = await chosen(beside, "replayed" if replayed else "open", reason, source)
        return [row_of(letter) for letter in found[:limit]]

    show_rows(in_deployment(data, work), COLUMNS, as_json=as_json, nothing="there are no such letters")


@app.command()
def show(letter_id: str, data: Data = None) -> None:
    """One letter with all that was kept of what was sent. What could not be read: its length and hash."""

    async def work(beside: Beside) -> dict[str, Any]:
        letter = await _find(beside, letter_id)
        kept = {"event_id": letter.event_id, "length": letter.length, "sha256": letter.sha256, "body": body_of(letter)}
        return {**row_of(letter), "state": letter.state, **kept}

    show_json(in_deployment(data, work))


@app.command()
def replay(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="As `dead-letters list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every open letter; --reason and --source narrow it.")] = False,
    reason: Annotated[str | None, typer.Option(help="With --all: only of this reason.")] = None,
    source: Annotated[str | None, typer.Option(help="With --all: only of this source.")] = None,
    url: Annotated[str | None, typer.Option(envvar="COUNTERPOINT_URL", help="Of the running platform.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send letters again after a fix, as the source that sent them. What is refused again is a new letter."""
    if bool(letter_ids) == every:
        raise Refusal("name letters, or say --all")
    address = address_of(data, url)

    async def work(beside: Beside) -> list[dict[str, str]]:
        letters = [await _find(beside, one) for one in letter_ids or ()]
        if every:
            letters = await chosen(beside, "open", reason, source)
        return [await _replay(beside, letter, address) for letter in letters]

    told = in_deployment(data, work)
    if as_json:
        show_json(told)
    else:
        for one in told:
            typer.echo(f"{one['letter_id']}: {one['what']}")
        if not told:
            typer.echo("there are no such letters")
    if any(one["outcome"] != "accepted" for one in told):
        raise typer.Exit(1)


async def chosen(beside: Beside, state: str, reason: str | None, source: str | None) -> list[StoredDeadLetter]:
    found = await beside.store.dead_letters(MOST, state)
    return [one for one in found if reason in (None, one.reason) and source in (None, one.source)]


def row_of(letter: StoredDeadLetter) -> dict[str, Any]:
    return {
        "letter_id": letter.letter_id, "at": at(letter.at), "stage": letter.stage, "source": letter.source,
        "reason": letter.reason, "field": letter.field, "message": letter.message,
    }  # fmt: skip


def body_of(letter: StoredDeadLetter) -> Any:
    """JSON where it is JSON; else the excerpt that was kept, None where nothing could be."""
    if not letter.body:
        return None
    try:
        return msgspec.json.decode(letter.body)
    except msgspec.DecodeError:
        return letter.body.decode(errors="replace")


async def _find(beside: Beside, letter_id: str) -> StoredDeadLetter:
    found = await beside.store.dead_letter(letter_id)
    if found is None:
        raise Refusal(f"there is no letter {letter_id}: `counterpoint dead-letters list` shows them")
    return found


async def _replay(beside: Beside, letter: StoredDeadLetter, address: str) -> dict[str, str]:
    try:
        event = await event_of(letter, beside, load_catalogue())
    except Refusal as refusal:
        return {"letter_id": letter.letter_id, "outcome": "kept", "what": str(refusal)}
    async with _key_of(beside, event.source) as key, http_publisher(address, key, patience=15) as publish:
        answer = await publish([event.form])
    await beside.store.mark_letter_replayed(letter.letter_id)
    return {"letter_id": letter.letter_id, **_told(answer)}


def _told(answer: Answer) -> dict[str, str]:
    if answer.accepted:
        return {"outcome": "accepted", "what": "accepted"}
    again = answer.rejected[0] if answer.rejected else {}
    why = f"{again.get('field') or 'the event'}: {again.get('message') or again.get('reason') or 'refused'}"
    return {"outcome": "rejected", "what": f"refused again, and a new letter now ({why})"}


@asynccontextmanager
async def _key_of(beside: Beside, source: str) -> AsyncIterator[str]:
    """A key that lives as long as the replay: an event counts once only under the source that it came from."""
    now = SystemClock().now_ms
    secret, grant = await create_key(beside.stores.keys, beside.stores.sources, source, [EVERY], now())
    try:
        yield secret
    finally:
        await revoke_key(beside.stores.keys, grant.key_id, now())
