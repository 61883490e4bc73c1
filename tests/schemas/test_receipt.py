"""A receipt says how far the log was after an answer, and nobody can make the service stumble over one."""

from base64 import urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.receipt import decode_receipt, encode_receipt

PLACES = st.dictionaries(st.integers(-1, 63), st.integers(-1, 2**62), max_size=3)
PACKED = st.binary() | PLACES.map(msgspec.msgpack.encode)


@given(st.lists(st.tuples(st.integers(0, 63), st.integers(0, 2**62))))
def test_a_receipt_holds_the_next_offset_of_each_partition(placed: list[tuple[int, int]]) -> None:
    nexts = decode_receipt(encode_receipt(placed))
    assert nexts == {at: 1 + max(offset for other, offset in placed if other == at) for at, _ in placed}


@pytest.mark.parametrize("text", ["x", "!!!!", "é", "gQ", "kwECAw", "gaFhAQ", "gf8B", "gQD_", "A" * 5000])
def test_what_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a receipt"):
        decode_receipt(text)


@given(st.text() | PACKED.map(lambda packed: urlsafe_b64encode(packed).decode()))
def test_any_text_is_a_receipt_or_refused(text: str) -> None:
    try:
        nexts = decode_receipt(text)
    except ValueError:
        return
    assert all(partition >= 0 and offset >= 0 for partition, offset in nexts.items())
