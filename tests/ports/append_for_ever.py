"""A process to be killed: appends one number after the other and prints each once it is durable."""

import asyncio
import sys
from pathlib import Path

from schemas.topics import Topic
from services.embedded.log import EmbeddedLog
from services.log import Message


async def append_for_ever(directory: Path) -> None:
    log = EmbeddedLog(directory)
    await log.ensure_topics([Topic("t", 1)])
    number = 0
    while True:
        await log.append("t", [Message(b"", b"%d" % number)])
        print(number, flush=True)
        number += 1


if __name__ == "__main__":
    asyncio.run(append_for_ever(Path(sys.argv[1])))
