"""Whoever is told to come again reads what is the matter, not how a library calls it."""

import pytest
from aiokafka import errors

from services.failures import Unavailable
from services.kafka.away import away
from services.kafka.log import KafkaLog
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
