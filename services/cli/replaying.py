"""`replay`: sends what already happened through the platform's front door, with progress and rate."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.asking import Url, knock
from services.cli.beside import Data, Door, Json, door_of
from services.cli.output import progress, tell
from services.cli.refusals import FAILED, Refusal
from services.replay.berka import count_berka, read_berka
from services.replay.ndjson import read_ndjson
from services.replay.send import Answer, Sent, http_publisher, send

app = typer.Typer(no_args_is_help=True, help="Send events from your own files.")
Key = Annotated[str | None, typer.Option(envvar="COUNTERPOINT_KEY", help="An ingest key.")]
Batch = Annotated[int, typer.Option(min=1, max=5000, help="Events per request.")]
Connections = Annotated[
    int, typer.Option(min=1, max=64, help="Requests at a time; of several, events may arrive out of order.")
]
FEW = 5


@app.command()
def berka(
    directory: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="With account.asc, trans.asc …")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day to send.")] = None,
    url: Url = None,
    key: Key = None,
    batch: Batch = 500,
    connections: Connections = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send the PKDD'99 Czech bank from your own copy of its files, in order of event time.

    Ids are derived from the files: what is sent again counts once.
    """
    door, day = door_of(data, url, key), until.date() if until else None
    try:
        total = count_berka(directory, day)
        sent = transmit(read_berka(directory, day), total, door, batch, connections)
    except (ValueError, KeyError) as error:
        raise Refusal(f"{directory} does not hold the PKDD'99 files as published: {error}") from None
    _told(sent, as_json)


@app.command()
def ndjson(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="One event per line, plain or gzip.")],
    url: Url = None,
    key: Key = None,
    batch: Batch = 500,
    connections: Connections = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send events from a file as they are; the platform validates them."""
    door = door_of(data, url, key)
    try:
        total = sum(1 for _ in read_ndjson(file))
        sent = transmit(read_ndjson(file), total, door, batch, connections)
    except ValueError as error:
        raise Refusal(str(error)) from None
    _told(sent, as_json)


def transmit(events: Iterable[dict[str, Any]], total: int | None, door: Door, batch: int, connections: int) -> Sent:
    """Raises `NotAccepted`, and `Refusal` where nobody is there."""
    knock(door.url)
    few: list[str] = []
    with progress("events") as bar:
        task = bar.add_task("Sending", total=total, rate="")

        def show(now: Sent, answer: Answer) -> None:
            reached = now.event_time[:16].replace("T", " ")
            bar.update(task, completed=now.sent, rate=f"{now.rate:,.0f}/s  {reached}")
            few.extend(_why(one) for one in answer.rejected[: FEW - len(few)])

        sent = asyncio.run(_transmit(events, door, batch, connections, show))
    for why in few:
        typer.echo(f"refused: {why}", err=True)
    return sent


async def _transmit(
    events: Iterable[dict[str, Any]],
    door: Door,
    batch: int,
    connections: int,
    show: Callable[[Sent, Answer], None],
) -> Sent:
    async with http_publisher(door.url, door.key) as publish:
        return await send(events, publish, batch_size=batch, connections=connections, on_progress=show)


def _why(rejection: dict[str, Any]) -> str:
    return f"{rejection.get('id') or 'an event'}: {rejection.get('field', '')} {rejection.get('message', '')}".strip()


def row_of(sent: Sent) -> dict[str, Any]:
    return {"sent": sent.sent, "accepted": sent.accepted, "rejected": sent.rejected, "rate": round(sent.rate)}


def _told(sent: Sent, as_json: bool) -> None:
    told = f"{sent.sent:,} sent, {sent.accepted:,} accepted, {sent.rejected:,} refused, {sent.rate:,.0f} a second"
    tell(row_of(sent), told, as_json=as_json)
    if sent.rejected:
        raise typer.Exit(FAILED)
