"""The inbox is read as far as somebody asks, whatever one answer holds."""

from typing import Any

import pytest

from services.cli.alerts.pages import alerts_asked


def inbox(*pages: str) -> Any:
    """Answers one page after the other, each a text of which each letter is an alert."""

    def ask(*, limit: int, cursor: str | None) -> dict[str, Any]:
        place = int(cursor or 0)
        assert limit > 0
        shown = pages[place][:limit]
        return {"alerts": [{"alert_id": one, "page": place} for one in shown],
                "next": str(place + 1) if place + 1 < len(pages) else None}  # fmt: skip

    return ask


@pytest.mark.parametrize(
    ("most", "told", "more"),
    [(None, "abcdefg", False), (7, "abcdefg", False), (6, "abcdef", True), (4, "abcd", True), (2, "ab", True),
     (900, "abcdefg", False)],
)  # fmt: skip
def test_pages_are_asked_for_until_there_are_enough(most: int | None, told: str, more: bool) -> None:
    found, are_more = alerts_asked(inbox("abc", "def", "g"), most, at_once=3)
    assert ("".join(one["alert_id"] for one in found), are_more) == (told, more)


def test_an_alert_that_comes_on_two_pages_is_told_once_as_it_was_seen_last() -> None:
    found, _ = alerts_asked(inbox("ab", "bc"), None, at_once=2)
    assert [(one["alert_id"], one["page"]) for one in found] == [("a", 0), ("b", 1), ("c", 1)]
