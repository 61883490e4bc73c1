"""`watch`: a live board beside a running platform."""

import asyncio
import contextlib
import secrets
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from services.cli.asking import Url
from services.cli.beside import Beside, Data, Json, address_of, in_deployment
from services.cli.output import console, show_json
from services.cli.refusals import Misuse, Refusal, sentence_of
from services.cli.watch.board import board
from services.cli.watch.following import Following
from services.cli.watch.snapshot import Address, Observer, Snapshot, as_told
from services.failures import Unavailable

ROOM_BESIDE_ROWS = 22
LOOKS = 3


def watch(
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between updates.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print once after that time and exit.")] = False,
    url: Url = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """A live board: rates, lag of each partition, latest events, views and alerts, silent sources. Ctrl-C ends it."""
    if as_json and not once:
        raise Misuse("--json needs --once: a script has one look")

    def address() -> str | None:
        try:
            return address_of(data, url)
        except Refusal:
            return None

    with contextlib.suppress(KeyboardInterrupt):
        in_deployment(data, lambda beside: _watch(beside, address, every, once, as_json))


async def _watch(beside: Beside, address: Address, every: float, once: bool, as_json: bool) -> None:
    async with beside.log() as log:
        following = Following(log)
        follows = asyncio.create_task(following.follow(f"counterpoint-watch-{secrets.token_hex(4)}"))
        try:
            observer = Observer(beside, log, following, address)
            if not once:
                await _stay(observer, every)
                return
            await at_last(observer, every)  # rates need two looks
            await asyncio.sleep(every)
            seen = await at_last(observer, every)
            if as_json:
                show_json(as_told(seen))
            else:
                screen = console()
                screen.print(board(seen, screen.width))
        finally:
            follows.cancel()
            await asyncio.wait([follows])


async def at_last(observer: Observer, every: float) -> Snapshot:
    """What is only slow answers at one of a few looks. Raises `Unavailable`."""
    for _ in range(LOOKS - 1):
        try:
            return await observer.look()
        except Unavailable as away:
            typer.echo(f"{sentence_of(away)}: trying again", err=True)
            await asyncio.sleep(every)
    return await observer.look()


async def _stay(observer: Observer, every: float) -> None:
    """The first board has no rates yet."""
    screen = console()
    with Live(console=screen, screen=screen.is_terminal, auto_refresh=False) as live:
        while True:
            try:
                shown = board(await observer.look(), screen.width, max(3, screen.height - ROOM_BESIDE_ROWS))
            except Unavailable as away:
                shown = Text(f"{sentence_of(away)}: trying again", style="red")
            live.update(shown, refresh=True)
            await asyncio.sleep(every)
