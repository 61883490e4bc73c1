"""The inbox page by page, as far as somebody wants to read."""

from typing import Any, Protocol

from services.cli.output import Row

MOST_AT_ONCE = 200
"""Alerts of one answer."""


class Ask(Protocol):
    def __call__(self, *, limit: int, cursor: str | None) -> Any:
        """One page: `alerts`, and `next`, the cursor of the next one."""


def alerts_asked(ask: Ask, most: int | None, at_once: int = MOST_AT_ONCE) -> tuple[list[Row], bool]:
    """At most so many (None: all of them), and whether there are more. One whose rank changes meanwhile may come on two
    pages, and is told once, as it was seen last."""
    found: dict[str, Row] = {}
    cursor: str | None = None
    while True:
        room = at_once if most is None else min(most - len(found), at_once)
        page = ask(limit=room, cursor=cursor)
        found |= {one["alert_id"]: one for one in page["alerts"]}
        cursor = page["next"]
        if cursor is None or len(found) == most:
            return list(found.values()), cursor is not None
