"""Whoever is told to come again reads what is the matter, not how a library calls it."""

import pytest
from aiokafka import errors
from structlog.testing import capture_logs

from services.deployment import when_up
from services.failures import Rejected, Unavailable
from services.kafka.away import away
from services.kafka.log import KafkaLog
from services.kafka.producer import Lane
from services.log import Message

KINDS = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.KafkaError)]


@pytest.mark.parametrize("kind", [*KINDS, ConnectionResetError], ids=lambda one: str(one.__name__))
def test_no_class_of_a_library_is_named(kind: type[Exception]) -> None:
    told = away(kind())
    assert (kind.__name__ not in str(told), str(told)[:7], told.setting) == (True, "Kafka: ", "COUNTERPOINT_LOG")
    assert isinstance(told.__cause__, kind)


async def test_a_broker_that_is_not_there_is_told_as_such() -> None:
    log = KafkaLog("127.0.0.1:1")
    try:
        with pytest.raises(Unavailable, match="no broker can be reached"):
            await log.append("channel-events", [Message(b"k", b"v")])
    finally:
        await log.close()


def test_a_clock_far_off_that_the_broker_refuses_is_told_as_such() -> None:
    """Kafka takes no record of more than an hour ahead; seen with a clock a day ahead."""
    assert "the broker refuses the time of this machine" in str(away(errors.InvalidTimestampError()))


def test_that_appends_wait_is_told_once_and_that_they_go_on() -> None:
    lane = Lane("t")
    with capture_logs() as told:
        for failed in (None, *[away(errors.NodeNotReadyError())] * 3, None, None, *[Rejected("too_large", "x")] * 2):
            lane.tell(failed)
    assert [one["event"] for one in told] == ["append waits", "append goes on", "append failed", "append failed"]
    assert (told[0]["topic"], told[0]["cause"]) == ("t", "NodeNotReadyError")


def test_whoever_refuses_an_append_is_there_again() -> None:
    lane = Lane("t")
    with capture_logs() as told:
        for failed in (away(errors.NodeNotReadyError()), Rejected("too_large", "x")):
            lane.tell(failed)
    assert [one["event"] for one in told] == ["append waits", "append goes on", "append failed"]


def test_a_mistake_of_ours_does_not_say_that_the_broker_is_there_again() -> None:
    lane = Lane("t")
    with capture_logs() as told:
        for failed in (away(errors.NodeNotReadyError()), ValueError("a mistake"), None):
            lane.tell(failed)
    assert [one["event"] for one in told] == ["append waits", "append failed", "append goes on"]


async def test_what_a_start_waits_for_is_told_once_and_that_it_goes_on() -> None:
    answers: list[Unavailable | None] = [Unavailable("a", 0), Unavailable("a", 0), Unavailable("b", 0), None]

    async def opening() -> str:
        if (answer := answers.pop(0)) is not None:
            raise answer
        return "opened"

    with capture_logs() as told:
        assert await when_up(opening) == "opened"
    assert [(one["event"], one.get("what")) for one in told] == [
        ("start waits", "a"), ("start waits", "b"), ("start goes on", None),
    ]  # fmt: skip
