"""Logs are JSON lines without personal data, whoever writes them."""

import io
import logging
from collections.abc import Callable, Iterator

import msgspec
import pytest
import structlog

from services.logging_setup import REMOVED, configure_logging


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logging("info", None, stream=written)
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_name(stream: io.StringIO) -> None:
    structlog.get_logger("services.profile").info("batch_applied", partition=3, events=12, offset=1_763_800_000_000)
    (line,) = lines(stream)
    assert line["event"] == "batch_applied"
    assert (line["level"], line["logger"], line["events"]) == ("info", "services.profile", 12)
    assert line["offset"] == 1_763_800_000_000
    assert str(line["timestamp"]).endswith("Z")


def test_libraries_write_the_same_lines(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("lost %s", "connection")
    assert lines(stream)[0]["event"] == "lost connection"


def test_what_libraries_tell_below_a_warning_stays_out_at_every_level() -> None:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("debug", None, stream=written)
    try:
        logging.getLogger("aiosqlite").debug("executing %s", "insert into personal values ('12 Hidden Road')")
        logging.getLogger("services.profile").debug("a step of our own")
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
    assert [line["event"] for line in lines(written)] == ["a step of our own"]


def told_at(second: float, logger: str, words: str, *arguments: object) -> None:
    record = logging.LogRecord(logger, logging.ERROR, __file__, 1, words, arguments, None)
    record.created = second
    logging.getLogger(logger).handle(record)


def test_what_a_library_repeats_is_told_every_ten_minutes_with_how_often(stream: io.StringIO) -> None:
    for part in range(100):
        told_at(part * 6, "aiokafka.consumer", "no node %s", part)
        told_at(part * 6, "aiokafka.consumer", "no metadata")
    assert [line["event"] for line in lines(stream)] == ["no node 0", "no metadata"]
    told_at(600.0, "aiokafka.consumer", "no node %s", 1)
    told_at(600.1, "aiokafka.consumer", "no metadata")
    told_at(1800.0, "aiokafka.consumer", "no metadata")
    assert [(line["event"], line.get("repeats")) for line in lines(stream)[2:]] == [
        ("no node 1", 99), ("no metadata", 99), ("no metadata", None),
    ]  # fmt: skip


def fail(error: Exception) -> None:
    raise error


def fail_elsewhere(error: Exception) -> None:
    raise error


def failed_at(second: float, words: str, failing: Callable[[Exception], None], error: Exception) -> None:
    try:
        failing(error)
    except Exception as raised:
        exc_info = type(raised), raised, raised.__traceback__
        record = logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, words, (), exc_info)
        record.created = second
        logging.getLogger("uvicorn.error").handle(record)


def test_another_error_in_the_same_words_is_told_at_once(stream: io.StringIO) -> None:
    for error in (KeyError("a"), KeyError("b"), ValueError("c")):
        failed_at(0.0, "Exception in ASGI application", fail, error)
        told_at(0.0, "aiokafka.client", "no connection to %s: %s", 1, error)
    failed_at(0.0, "Exception in ASGI application", fail_elsewhere, KeyError("d"))
    assert [line["event"] for line in lines(stream)] == [
        "Exception in ASGI application", "no connection to 1: 'a'",
        "Exception in ASGI application", "no connection to 1: c",
        "Exception in ASGI application",
    ]  # fmt: skip


def test_what_we_tell_ourselves_is_told_each_time(stream: io.StringIO) -> None:
    for _ in range(2):
        structlog.get_logger("services.partition").warning("partition waits")
        told_at(0.0, "services.kafka.buffers", "partition waits")
    assert len(lines(stream)) == 4


@pytest.mark.parametrize(
    "leak",
    [
        {"phone": "+8613800138000"},
        {"note": "Li Lei asked"},
        {"detail": {"name": "Li Lei"}},
        {"error": "no such card 6222 0200 0000 0000 001"},
        {"error": "li.lei@example.com is taken"},
        {"url": "postgresql://bank:hunter2@db/cp"},
        {"error": ValueError("duplicate key\nDETAIL:  Key (name)=(Li Lei) exists")},
        {"items": ["6222020000000000001"]},
        {"message_bytes": b"Li Lei"},
    ],
)
def test_personal_data_never_reach_the_log(stream: io.StringIO, leak: dict[str, object]) -> None:
    structlog.get_logger().info("something", **leak)
    written = stream.getvalue().lower()
    for value in ("13800138000", "lei", "0000 0000 001", "0000000001", "hunter2"):
        assert value not in written


@pytest.mark.parametrize(
    "name",
    ["4d649ec8261646c88854400574cc7fb7", "al_9d2fe71138889540054aa846", f"c{'0123456789' * 6}abc"],
    ids=["a topic", "an alert", "a digest"],
)
def test_an_id_is_told_whole_although_it_holds_many_digits(stream: io.StringIO, name: str) -> None:
    structlog.get_logger("services.profile").info(f"the position of {name}, but not 6222020000000000001")
    assert [line["event"] for line in lines(stream)] == [f"the position of {name}, but not [removed]"]


@pytest.mark.parametrize("number", ["a6222020000000000001", "622202000000000000123456", f"{'0123456789' * 3}12"])
def test_a_number_is_no_id_because_a_letter_stands_beside_it_or_for_its_length(
    stream: io.StringIO, number: str
) -> None:
    structlog.get_logger().info(f"no such card {number}")
    assert "0000000000" not in stream.getvalue()
    assert "0123456789" not in stream.getvalue()


def test_what_libraries_tell_of_every_step_is_left_out_and_what_is_wrong_is_not(stream: io.StringIO) -> None:
    for name in ("alembic.runtime.migration", "uvicorn.error", "services.kafka.fetching", "faust"):
        logging.getLogger(name).info("Starting...")
        logging.getLogger(name).warning("wrong")
    assert [line["event"] for line in lines(stream)] == ["wrong"] * 4


def test_tracebacks_are_kept_without_the_values(stream: io.StringIO) -> None:
    try:
        raise ValueError("6222020000000000001")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "test_tracebacks_are_kept" in str(line["exception"])
    assert REMOVED in str(line["exception"])
    assert "6222020000000000001" not in str(line["exception"])
