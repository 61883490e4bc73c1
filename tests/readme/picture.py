"""Draws `docs/watch.svg` anew from a platform that runs with its synthetic bank: start `make run`, wait until its past
is sent, then `python -m tests.readme.picture var`."""

import asyncio
import sys
from pathlib import Path

from rich.console import Console

from services.cli.beside import address_of, opened, settings_of
from services.cli.watch.board import board
from services.cli.watch.following import Following
from services.cli.watch.snapshot import Observer

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "watch.svg"
WIDTH, HEARD_S = 117, 20.0
"""What fits the width of the page, and long enough for events of several channels."""


async def draw(data: Path) -> str:
    async with opened(settings_of(data)) as beside, beside.log() as log:
        following = Following(log)
        follows = asyncio.create_task(following.follow("counterpoint-picture"))
        observer = Observer(beside, log, following, lambda: address_of(data, None))
        await observer.look()  # rates need two looks
        await asyncio.sleep(HEARD_S)
        screen = Console(record=True, width=WIDTH, file=sys.stderr)
        screen.print(board(await observer.look(), WIDTH))
        follows.cancel()
        await asyncio.wait([follows])
    return screen.export_svg(title="counterpoint watch", unique_id="terminal")


if __name__ == "__main__":
    PICTURE.write_text(asyncio.run(draw(Path(sys.argv[1]))), encoding="utf-8")
