"""An outage is told once for each reason that it has, and its end once."""

import asyncio

import pytest
from structlog.testing import capture_logs

from services.failures import Unavailable
from services.outage import Outage

LOST, REFUSED = Unavailable("no broker can be reached"), Unavailable("the broker refuses this process")


def test_another_reason_of_the_same_outage_is_told_and_one_that_comes_again_is_not() -> None:
    outage = Outage("partition", topic="t")
    with capture_logs() as told:
        for away in (LOST, LOST, REFUSED, LOST, REFUSED):
            outage.waits(away)
        outage.goes_on()
        outage.goes_on()
        outage.waits(LOST)
    assert [(one["event"], one.get("what"), one["topic"]) for one in told] == [
        ("partition waits", str(LOST), "t"), ("partition waits", str(REFUSED), "t"),
        ("partition goes on", None, "t"), ("partition waits", str(LOST), "t"),
    ]  # fmt: skip


def test_what_stands_behind_an_outage_is_told_by_its_class_where_something_does() -> None:
    caused = Unavailable("no broker can be reached")
    caused.__cause__ = ConnectionRefusedError("secret")
    with capture_logs() as told:
        Outage("partition").waits(caused)
        Outage("partition").waits(LOST)
    assert [one.get("cause") for one in told] == ["ConnectionRefusedError", None]
    assert ["cause" in one for one in told] == [True, False]


async def test_an_outage_is_outlasted_with_the_pause_that_each_answer_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    answers = [Unavailable("no broker can be reached", 0.5), Unavailable("no broker can be reached", 0.7)]

    async def at_once(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> str:
        if answers:
            raise answers.pop(0)
        return "done"

    monkeypatch.setattr(asyncio, "sleep", at_once)
    with capture_logs() as told:
        assert await Outage("start").outlasted(work) == "done"
    assert pauses == [0.5, 0.7]
    assert [one["event"] for one in told] == ["start waits", "start goes on"]
