"""Splits a request's body into events without parsing them, so that one bad event never fails its batch."""

import re
from codecs import BOM_UTF8
from collections.abc import Sequence

import msgspec

from services.failures import Rejected
from services.ingest.domain.loose import is_sound_batch
from services.ingest.domain.raw import malformed


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    events: list[msgspec.Raw]


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_IS_BATCH = re.compile(rb'\s*\{\s*"events"\s*:')
_QUOTE = b'"'
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)


def split_json(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """One event, or `{"events": […]}`; a byte order mark before it is passed over, as RFC 8259 (8.1) allows. Raises
    `Rejected` (`malformed`) where the envelope cannot be read."""
    body = body.removeprefix(BOM_UTF8)
    if not body.strip():
        raise Rejected("malformed", "the body is empty")
    if _IS_BATCH.match(body) is None:
        return [body]
    try:
        events = _ENVELOPE.decode(body).events
    except msgspec.ValidationError:
        raise Rejected("malformed", '{"events": […]} is expected, and no other field beside it') from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not is_sound_batch(body):
            raise malformed(error) from None
        return _split_by_brackets(body)
    except RecursionError:
        return _split_by_brackets(body)
    if body.count(_QUOTE) > b"".join(events).count(_QUOTE) + len('""'):  # of two lists the parser takes the last
        raise Rejected("malformed", '"events" stands twice: put all events into one list')
    return events


def split_lines(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """NDJSON: one event a line; empty lines are ignored."""
    return [line for line in body.removeprefix(BOM_UTF8).split(b"\n") if line.strip()]


def _split_by_brackets(body: bytes) -> Sequence[bytes | msgspec.Raw]:
    """The slow way, for a batch with a value that the parser refuses: counts brackets."""
    depth, start, events = 0, -1, []
    for token in _TOKEN.finditer(body):
        char = token.group()
        if depth == 2 and char in (b",", b"]"):
            if event := body[start : token.start()].strip():
                events.append(event)
            start = token.end()
        if char in (b"[", b"{"):
            depth += 1
            if depth == 2 and start < 0:
                start = token.end()
        elif char in (b"]", b"}"):
            depth -= 1
    if depth != 0:
        raise Rejected("malformed", "not valid JSON")
    return events
