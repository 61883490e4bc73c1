"""NDJSON files: each line is an event as it stands, and a broken line is named."""

import gzip
from codecs import BOM_UTF8
from pathlib import Path

import pytest

from services.replay.ndjson import read_ndjson

LINES = b'{"id": "1", "type": "login.succeeded"}\r\n\n{"id": "2"}'


@pytest.mark.parametrize(
    "content", [LINES, gzip.compress(LINES), BOM_UTF8 + LINES], ids=["plain", "gzip", "with a byte order mark"]
)
def test_lines_are_events_and_blank_ones_are_passed_over(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(content)
    assert list(read_ndjson(file)) == [{"id": "1", "type": "login.succeeded"}, {"id": "2"}]


@pytest.mark.parametrize("line", [b"{", b"[1]", b"\xff", b"[" * 10_000], ids=["torn", "a list", "no UTF-8", "deep"])
def test_a_broken_line_is_named_by_its_number(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b'{"id": "1"}\n' + line + b"\n")
    with pytest.raises(ValueError, match=r"line 2 of events\.ndjson"):
        list(read_ndjson(file))
