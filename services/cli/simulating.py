"""`simulate`: a synthetic bank at the front door, its past and then its channels live; and the truth it has planted."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from services.cli.asking import Url
from services.cli.beside import Data, Door, Json, door_of
from services.cli.output import counted, tell
from services.cli.refusals import FAILED, Misuse
from services.cli.replaying import Batch, Connections, Key, row_of, transmit
from services.clock import SystemClock
from services.replay.send import http_publisher, send
from services.simulator.bank import Bank, day_at, start_of
from services.simulator.stories import stories
from services.simulator.traffic import Traffic, live


def simulate(
    customers: Annotated[int, typer.Option(min=1, max=1_000_000)] = 300,
    seed: Annotated[int, typer.Option(help="The same seed and days give the same events.")] = 1,
    days: Annotated[int, typer.Option(min=0, max=1100, help="Days of past events to send.")] = 180,
    stays_live: Annotated[bool, typer.Option("--live", help="Continue in real time afterwards, until Ctrl-C.")] = False,
    per_second: Annotated[
        float, typer.Option(min=0, help="With --live: events per second in addition to the customers' own.")
    ] = 0.0,
    truth: Annotated[Path | None, typer.Option(help="Write the planted stories here, one JSON per line.")] = None,
    url: Url = None,
    key: Key = None,
    batch: Batch = 500,
    connections: Connections = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send the events of a synthetic bank with planted stories.

    Do not use it on a platform that runs its own simulator: both use the same customer numbers and event ids.
    """
    clock = SystemClock()
    bank = Bank(seed, customers, day_at(clock.now_ms()))
    if truth is not None:
        with truth.open("wb") as file:
            file.writelines(msgspec.json.encode(story) + b"\n" for story in stories(bank))
        typer.echo(f"the planted stories stand in {truth}", err=as_json)
    if not days and not stays_live:
        raise Misuse("nothing is to be sent: say --days, --live or both")
    door = door_of(data, url, key)
    start = bank.anchor - timedelta(days=days)
    traffic = Traffic(bank, start, per_second=per_second, bustle_from_ms=clock.now_ms())
    now = clock.now_ms() if stays_live else start_of(bank.anchor)
    sent = transmit(traffic.advance(now), None, door, batch, connections)
    past = counted(days, "day", "days") if days else "today"
    told = f"{counted(sent.sent, 'event', 'events')} of {past} sent"
    told += f", {sent.accepted:,} accepted, {sent.rejected:,} refused"
    tell({**row_of(sent), "days": days}, told, as_json=as_json)
    if stays_live:
        typer.echo("The channels go on by the clock; Ctrl-C stops them.", err=as_json)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_go_on(traffic, door))
    if sent.rejected:
        raise typer.Exit(FAILED)


async def _go_on(traffic: Traffic, door: Door) -> None:
    async with http_publisher(door.url, door.key) as publish:
        async for events in live(traffic, SystemClock()):
            await send(events, publish)
