"""Every Avro schema version ever written, by fingerprint. A version's file never changes once it has been shipped."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

RecordName = Literal["channel_event", "profile_change", "alert", "dead_letter"]
MARKER = b"\xc3\x01"
"""Avro 1.12, single-object encoding: two bytes, then the fingerprint, then the record."""
HEADER_LENGTH = 10


class Version(NamedTuple):
    """One schema version; `header` is the marker with the little-endian CRC-64-AVRO of its canonical form."""

    record: str
    number: int
    header: bytes
    source: Mapping[str, Any]
    parsed: Any


class Registry(NamedTuple):
    by_header: Mapping[bytes, Version]
    current: Mapping[str, Version]


@cache
def registry() -> Registry:
    """Read from the package's files at first use, then kept."""
    versions = []
    for path in files("schemas").joinpath("avro").iterdir():
        name = re.fullmatch(r"(\w+)\.v(\d+)\.avsc", path.name)
        if name:
            source = json.loads(path.read_text(encoding="utf-8"))
            versions.append(version_of(name[1], int(name[2]), source))
    versions.sort(key=lambda version: version.number)
    return Registry({version.header: version for version in versions}, {v.record: v for v in versions})


def version_of(record: str, number: int, source: Mapping[str, Any]) -> Version:
    parsed: Any = parse_schema(dict(source))
    for field in parsed["fields"]:
        # Avro writes the default of a bytes field as text; fastavro would hand that text to the reader.
        if field["type"] == "bytes" and isinstance(field.get("default"), str):
            field["default"] = field["default"].encode("iso-8859-1")
    return Version(record, number, header(source), source, parsed)


def header(schema: Mapping[str, Any]) -> bytes:
    """The ten bytes that go before every record written with `schema`."""
    # fastavro gives the fingerprint's bytes in hex, already least significant first as the encoding wants them
    return MARKER + bytes.fromhex(fingerprint(to_parsing_canonical_form(dict(schema)), "CRC-64-AVRO"))
