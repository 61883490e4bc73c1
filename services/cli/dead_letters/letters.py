"""`dead-letters`: what could not be used. A replay goes in by the front door, under the source that sent it."""

from typing import Annotated, Any

import msgspec
import typer

from services.cli.asking import Url, knock
from services.cli.beside import Beside, Data, Json, address_of, in_deployment
from services.cli.dead_letters.resending import resending
from services.cli.output import console, print_table, show_json, show_rows, when
from services.cli.refusals import FAILED, Misuse, Refusal
from services.profile.ports.records import StoredDeadLetter

app = typer.Typer(no_args_is_help=True, help="Events that could not be used: inspect them, send them again.")
COLUMNS = {"letter_id": "Letter", "reason": "Reason", "field": "Field", "message": "What to do", "source": "Source",
           "at": "When", "stage": "Stage"}  # fmt: skip
MOST = 10_000
_NONE_OPEN = "there are none: whatever was accepted could be used (`--replayed` shows what was sent again)"
_NONE_REPLAYED = "none was sent again: `counterpoint dead-letters replay` does so"
_NO_SUCH = "there are no such letters: without --reason and --source there may be more"


@app.command("list")
def list_letters(
    replayed: Annotated[bool, typer.Option("--replayed", help="Replayed letters instead of open ones.")] = False,
    reason: Annotated[str | None, typer.Option(help="Only letters with this reason.")] = None,
    source: Annotated[str | None, typer.Option(help="Only letters of this source.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """The newest first."""

    async def work(beside: Beside) -> list[dict[str, Any]]:
        found = await beside.store.dead_letters(limit, "replayed" if replayed else "open", reason, source)
        return [row_of(letter) for letter in found]

    nothing = _NO_SUCH if reason or source else _NONE_REPLAYED if replayed else _NONE_OPEN
    show_rows(in_deployment(data, work), COLUMNS, as_json=as_json, nothing=nothing)


@app.command()
def show(letter_id: str, data: Data = None, as_json: Json = False) -> None:
    """Show one letter with what was kept of the event; of unreadable input, length and hash."""

    async def work(beside: Beside) -> dict[str, Any]:
        letter = await _find(beside, letter_id)
        kept = {"event_id": letter.event_id, "length": letter.length, "sha256": letter.sha256, "body": body_of(letter)}
        return {**row_of(letter), "state": letter.state, **kept}

    told = in_deployment(data, work)
    if as_json:
        show_json(told)
        return
    body = told.pop("body")
    rows = [{"name": name.replace("_", " "), "value": value} for name, value in told.items()]
    print_table(console(), rows, {"name": "Part", "value": "Value"})
    show_json(body)


@app.command()
def replay(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="As `dead-letters list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open letters; narrow by --reason, --source.")] = False,
    reason: Annotated[str | None, typer.Option(help="With --all: only of this reason.")] = None,
    source: Annotated[str | None, typer.Option(help="With --all: only of this source.")] = None,
    url: Url = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send letters again after a fix, as their source. Whatever is refused again becomes a new letter."""
    if bool(letter_ids) == every:
        raise Misuse("name letters, or say --all: one of the two")
    address = address_of(data, url)
    knock(address)

    async def work(beside: Beside) -> list[dict[str, str]]:
        letters = [await _find(beside, one) for one in letter_ids or ()]
        if every:
            letters = await beside.store.dead_letters(MOST, "open", reason, source)
        async with resending(beside, address) as again:
            return [_shown(await again.send(letter), as_json) for letter in letters]

    told = in_deployment(data, work)
    if as_json:
        show_json(told)
    elif not told:
        typer.echo(_NO_SUCH if reason or source else _NONE_OPEN)
    if any(one["outcome"] != "accepted" for one in told):
        raise typer.Exit(FAILED)


def row_of(letter: StoredDeadLetter) -> dict[str, Any]:
    return {
        "letter_id": letter.letter_id, "at": when(letter.at), "stage": letter.stage, "source": letter.source,
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


def _shown(told: dict[str, str], as_json: bool) -> dict[str, str]:
    """At once: of thousands, what became of the first is known long before the last."""
    if not as_json:
        typer.echo(f"{told['letter_id']}: {told['what']}")
    return told


async def _find(beside: Beside, letter_id: str) -> StoredDeadLetter:
    found = await beside.store.dead_letter(letter_id)
    if found is None:
        raise Refusal(f"there is no letter {letter_id}: `counterpoint dead-letters list` shows them")
    return found
