"""How appends share a producer: together where they wait, each with its own outcome, a new one after a failure."""

import asyncio
import gc
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError, NodeNotReadyError, RecordListTooLargeError
from structlog.testing import capture_logs

from services.failures import Rejected, Unavailable
from services.kafka import producer
from services.kafka.away import away
from services.kafka.producer import Producer
from services.kafka.sending import Append, send_together
from services.log import Message, Placed

TWO, THREE = b"kk", b"vvv"


class Broker:
    """What brokers take: groups of appends, numbered. `meets`: what one meets instead; `first_meets`: what
    the first append of one meets. `held`: those that are answered
    when it is set. `refuses`: what the next producer meets that is started."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, int]] = []
        self.producers: list[Started] = []
        self.meets: dict[int, Exception] = {}
        self.first_meets: dict[int, Exception] = {}
        self.held: dict[int, asyncio.Event] = {}
        self.refuses: list[Exception] = []

    def holds(self, number: int) -> asyncio.Event:
        self.held[number] = asyncio.Event()
        return self.held[number]

    async def send_together(self, by: "Started", topic: str, appends: Sequence[Append]) -> list[Any]:
        number = len(self.groups)
        self.groups.append((topic, len(appends)))
        if number in self.held:
            await self.held[number].wait()
        if number in self.meets:
            raise self.meets[number]
        placed = [[Placed(0, number) for _ in one.messages] for one in appends]
        return [self.first_meets[number], *placed[1:]] if number in self.first_meets else placed


class Started:
    """A producer."""

    def __init__(self, broker: Broker, options: Mapping[str, Any]) -> None:
        self.broker, self.options, self.stopped = broker, options, False

    async def start(self) -> None:
        if self.broker.refuses:
            raise self.broker.refuses.pop()

    async def stop(self) -> None:
        self.stopped = True


@pytest.fixture
async def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()

    def started(**options: Any) -> Started:
        broker.producers.append(Started(broker, options))
        return broker.producers[-1]

    monkeypatch.setattr(producer, "AIOKafkaProducer", started)
    monkeypatch.setattr(producer, "send_together", broker.send_together)
    return broker


def opened(linger_ms: int = 0) -> Producer:
    return Producer({}, 5.0, 1_000, linger_ms)


def appending(to: Producer, topic: str = "t", many: int = 1) -> "list[asyncio.Task[list[Placed]]]":
    return [asyncio.create_task(to.append(topic, [Message(TWO, THREE)], 1)) for _ in range(many)]


async def turns(many: int = 5) -> None:
    for _ in range(many):
        await asyncio.sleep(0)


async def test_what_waits_goes_out_together_up_to_so_many_bytes(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "_MOST_TOGETHER_BYTES", 10)
    done = await asyncio.gather(*appending(opened(), many=5))
    assert broker.groups == [("t", 2), ("t", 2), ("t", 1)]
    assert done == [[Placed(0, 0)], [Placed(0, 0)], [Placed(0, 1)], [Placed(0, 1)], [Placed(0, 2)]]


async def test_the_first_of_a_group_lingers_for_company(broker: Broker) -> None:
    to = opened(linger_ms=50)
    first = appending(to)
    await turns()
    await asyncio.gather(*first, *appending(to))
    assert broker.groups == [("t", 2)]


async def test_what_nobody_waits_for_any_more_is_not_sent_and_its_outcome_told_to_nobody(broker: Broker) -> None:
    answered, to = broker.holds(0), opened()
    [sent] = appending(to)
    await turns()
    given_up, waits = appending(to, many=2)
    await turns()
    for one in (sent, given_up):
        one.cancel()
    await turns()
    answered.set()
    assert await waits == [Placed(0, 1)]
    assert broker.groups == [("t", 1), ("t", 1)]


async def test_those_who_wait_for_a_broker_that_is_away_are_told_with_those_who_met_it(broker: Broker) -> None:
    answered, to = broker.holds(0), opened()
    broker.meets[0] = NodeNotReadyError()
    met = appending(to)
    await turns()
    waiting = appending(to, many=2)
    await turns()
    answered.set()
    told = await asyncio.gather(*met, *waiting, return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable] * 3
    assert broker.groups == [("t", 1)]
    assert await asyncio.gather(*appending(to)) == [[Placed(0, 1)]]


async def test_what_one_append_meets_is_not_told_to_those_that_went_out_with_it(broker: Broker) -> None:
    broker.first_meets[0] = NodeNotReadyError()
    met, other = await asyncio.gather(*appending(opened(), many=2), return_exceptions=True)
    assert (str(met), other) == ("Kafka: no broker can be reached", [Placed(0, 0)])


async def test_all_in_sync_replicas_keep_what_was_appended_and_what_is_tried_again_stands_once(broker: Broker) -> None:
    await opened().append("t", [Message(TWO, THREE)], 1)
    [options] = [one.options for one in broker.producers]
    assert (options["acks"], options["enable_idempotence"]) == ("all", True)
    assert options["request_timeout_ms"] == 5_000


async def test_that_appends_wait_for_a_broker_and_go_on_is_logged(broker: Broker) -> None:
    to = opened()
    broker.meets[0] = NodeNotReadyError()
    with capture_logs() as logs:
        await asyncio.gather(*appending(to), return_exceptions=True)
        await asyncio.gather(*appending(to))
    assert [one["event"] for one in logs] == ["append waits", "append goes on"]


async def test_after_a_failure_the_next_append_has_a_producer_of_its_own(broker: Broker) -> None:
    to = opened()
    broker.meets[0] = NodeNotReadyError()
    with pytest.raises(Unavailable):
        await to.append("t", [Message(TWO, THREE)], 1)
    for _ in range(2):
        await to.append("t", [Message(TWO, THREE)], 1)
    first, second = broker.producers
    assert (first.stopped, second.stopped) == (True, False)


async def test_a_producer_that_was_started_since_is_not_given_up_for_what_failed_of_the_one_before(
    broker: Broker,
) -> None:
    to, answered = opened(), [broker.holds(0), broker.holds(1)]
    broker.meets = {0: NodeNotReadyError(), 1: NodeNotReadyError()}
    failing = [*appending(to, "a"), *appending(to, "b")]
    await turns()
    answered[0].set()
    await asyncio.wait(failing[:1])
    await to.append("a", [Message(TWO, THREE)], 1)
    answered[1].set()
    await asyncio.wait(failing[1:])
    await turns()
    assert [one.stopped for one in broker.producers] == [True, False]


async def test_a_producer_that_does_not_start_is_given_up_and_the_next_append_starts_another(broker: Broker) -> None:
    to = opened()
    broker.refuses = [NodeNotReadyError()]
    with pytest.raises(Unavailable):
        await to.append("t", [Message(TWO, THREE)], 1)
    assert await to.append("t", [Message(TWO, THREE)], 1) == [Placed(0, 0)]
    assert [one.stopped for one in broker.producers] == [True, False]


@pytest.mark.parametrize("caused", [True, False])
@pytest.mark.parametrize("error", [MessageSizeTooLargeError(), RecordListTooLargeError()])
async def test_what_the_broker_finds_too_large_is_refused_however_it_is_told(
    broker: Broker, error: Exception, caused: bool
) -> None:
    broker.meets[0] = away(error) if caused else error
    with pytest.raises(Rejected, match="no message of this size"):
        await opened().append("t", [Message(TWO, THREE)], 1)


async def test_a_mistake_of_ours_is_told_as_it_is_to_all_that_went_out_together_and_the_next_append_goes_on(
    broker: Broker,
) -> None:
    to, bug = opened(), ValueError("a mistake")
    broker.meets[0] = bug
    assert await asyncio.gather(*appending(to, many=2), return_exceptions=True) == [bug, bug]
    assert await to.append("t", [Message(TWO, THREE)], 1) == [Placed(0, 1)]


async def test_what_was_appended_is_sent_before_it_closes_and_its_producers_are_stopped(broker: Broker) -> None:
    to, answered = opened(), broker.holds(1)
    broker.meets[0] = NodeNotReadyError()
    await asyncio.gather(*appending(to), return_exceptions=True)
    [last] = appending(to)
    await turns()
    closing = asyncio.create_task(to.close())
    await turns()
    assert [one.stopped for one in broker.producers] == [True, False]
    answered.set()
    await closing
    assert await last == [Placed(0, 1)]
    assert [one.stopped for one in broker.producers] == [True, True]


class Batches:
    """A producer that takes the batch of the first partition, and not that of the second one."""

    def __init__(self) -> None:
        self.first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def create_batch(self) -> Any:
        return SimpleNamespace(append=lambda **_: True)

    async def send_batch(self, batch: Any, topic: str, partition: int) -> "asyncio.Future[Any]":
        if partition == 0:
            return self.first
        raise NodeNotReadyError


async def test_what_meets_a_batch_whose_round_was_given_up_is_no_error_that_was_lost() -> None:
    lost = list[Mapping[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    batches = Batches()
    done: asyncio.Future[list[Placed]] = asyncio.get_running_loop().create_future()
    with pytest.raises(NodeNotReadyError):
        await send_together(batches, "t", [Append([Message(TWO, THREE)] * 2, [0, 1], 10, done)])
    batches.first.set_exception(NodeNotReadyError())
    await turns()
    del batches
    gc.collect()
    asyncio.get_running_loop().set_exception_handler(None)
    assert lost == []
