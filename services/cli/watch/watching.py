"""`watch`: a live board beside a running platform."""

import asyncio
import contextlib
import secrets
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from services.cli.beside import Beside, Data, address_of, in_deployment
from services.cli.output import console
from services.cli.refusals import Refusal, sentence_of
from services.cli.watch.board import board
from services.cli.watch.following import Following
from services.cli.watch.snapshot import Observer
from services.failures import Unavailable

ROOM_BESIDE_ROWS = 22


def watch(
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="One look after that time, for a script or a paper.")] = False,
    url: Annotated[str | None, typer.Option(envvar="COUNTERPOINT_URL", help="Of the running platform.")] = None,
    data: Data = None,
) -> None:
    """A live board: rates, lag of each partition, latest events, views and alerts, silent sources. Ctrl-C leaves it."""
    try:
        address = address_of(data, url)
    except Refusal:
        address = None
    with contextlib.suppress(KeyboardInterrupt):
        in_deployment(data, lambda beside: _watch(beside, address, every, once))


async def _watch(beside: Beside, url: str | None, every: float, once: bool) -> None:
    async with beside.log() as log:
        following = Following(log)
        follows = asyncio.create_task(following.follow(f"counterpoint-watch-{secrets.token_hex(4)}"))
        try:
            await _show(Observer(beside, log, following, url), every, once)
        finally:
            follows.cancel()
            await asyncio.wait([follows])


async def _show(observer: Observer, every: float, once: bool) -> None:
    screen = console()
    await observer.look()  # rates need two looks
    if once:
        await asyncio.sleep(every)
        screen.print(board(await observer.look()))
        return
    with Live(console=screen, screen=screen.is_terminal, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(every)
            try:
                shown = board(await observer.look(), max(3, screen.height - ROOM_BESIDE_ROWS))
            except Unavailable as away:
                shown = Text(f"{sentence_of(away)}: trying again", style="red")
            live.update(shown, refresh=True)
