"""Reads what a live screen is sent."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

Event = tuple[str, str, Any]


async def next_event(lines: AsyncIterator[str]) -> Event | None:
    """(name, id, data); None at the end of the stream. Comments are left out."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and fields:
            return fields["event"], fields["id"], msgspec.json.decode(fields["data"])
    return None


async def sent(lines: AsyncIterator[str]) -> Event:
    """As `next_event`, of a stream that goes on."""
    event = await next_event(lines)
    assert event is not None
    return event
