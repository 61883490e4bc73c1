"""Reads events from a file of one JSON object a line (NDJSON), plain or gzip, as they are: ingest judges them."""

import gzip
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec


def read_ndjson(path: Path) -> Iterator[dict[str, Any]]:
    """Blank lines are passed over. Raises ValueError naming the line that is not a JSON object."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with _open(path) as lines:
        for number, line in enumerate(lines, start=1):
            said = line.removeprefix(BOM_UTF8) if number == 1 else line
            if said.strip():
                try:
                    yield decode(said)
                except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                    raise ValueError(f"line {number} of {path.name} is not a JSON object") from error


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if is_gzip else path.open("rb")
