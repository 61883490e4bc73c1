"""What a parked record becomes when it is to be sent again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import msgspec
import pytest

from schemas.codec import encode_event
from services.cli.beside import Beside
from services.cli.dead_letters.reentry import event_of
from services.cli.refusals import Refusal
from services.log import Record
from services.profile.ports.records import StoredDeadLetter
from tests.profile.told import CATALOGUE, NOW, TOPIC, paid

TOPIC_ID = "0a1b"
LETTER = StoredDeadLetter(f"{TOPIC}-{TOPIC_ID}-0-7", NOW, "update", "", "bug", "", "", None, b"", 0, "")


class OfOneRecord:
    """A deployment whose log holds this value."""

    def __init__(self, value: bytes) -> None:
        self._record = Record(7, NOW, b"", value)

    @asynccontextmanager
    async def log(self) -> AsyncIterator["OfOneRecord"]:
        yield self

    async def topic_id(self, topic: str) -> str:
        return TOPIC_ID

    async def record(self, topic: str, partition: int, offset: int) -> Record:
        return self._record


async def test_a_letter_whose_customer_was_erased_is_sent_again_by_its_source_alone() -> None:
    emptied = msgspec.structs.replace(LETTER, stage="accept")
    with pytest.raises(Refusal, match="was emptied when its customer was erased"):
        await event_of(emptied, cast(Beside, OfOneRecord(b"")), CATALOGUE)


async def test_a_record_that_no_channel_could_have_sent_is_kept_and_the_next_letter_has_its_turn() -> None:
    broken = msgspec.structs.replace(paid("p-1", NOW, "6001"), attributes=b"no JSON")
    with pytest.raises(Refusal, match="no JSON"):
        await event_of(LETTER, cast(Beside, OfOneRecord(encode_event(broken))), CATALOGUE)
    sound = await event_of(LETTER, cast(Beside, OfOneRecord(encode_event(paid("p-1", NOW, "6001")))), CATALOGUE)
    assert sound.form["id"] == "p-1"
