"""Structured logs, one JSON object a line, ours and the libraries' alike. Personal data never gets into them."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Literal, TextIO

import msgspec
import structlog

Format = Literal["json", "console"]

REMOVED = "[removed]"
# Whoever logs such a field made a mistake; this keeps the mistake from becoming a leak.
PERSONAL_FIELDS = frozenset({
    "name", "first_name", "last_name", "full_name", "person", "birth_date", "gender", "nationality", "national_id",
    "phone", "former_phone", "email", "address", "login", "note", "notes", "text", "counterparty",
    "card_no", "account_no", "customer_no", "loan_no", "identifiers", "attributes", "amount", "balance",
    "password", "token", "key", "secret", "authorization", "cookie", "body", "value", "payload",
})  # fmt: skip

# Ids that we make and Kafka's are hexadecimal: one in twenty holds ten digits in a row, and an operator looks it up.
_DIGITS = re.compile(
    r"(?P<id>\b(?:[a-z]+_)?(?=[0-9]*[a-f])(?:[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{64})\b)|\d(?:[ -]?\d){9,}"
)
_EMAIL = re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+\.[A-Za-z]{2,}")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+:[^/\s@]+(?=@)")
_PERSONAL_DETAIL = re.compile(r"\n?DETAIL:.*")  # PostgreSQL repeats the offending row there

# Libraries that tell of every heartbeat, request and step of their own. What Faust's framework says of a class of ours
# comes under the name of its module.
_QUIET = (
    "aiokafka", "faust", "mode", "httpx", "httpcore", "asyncio", "uvicorn", "sqlalchemy", "alembic",
    "services.kafka.faust", "services.kafka.fetching",
)  # fmt: skip

_OWN = ("services", "schemas", "deploy", "__main__")

_TOLD_AGAIN_S = 600.0


class Repeats(logging.Filter):
    """Libraries tell of a server that is away hundreds of times a second, which fills a disk: what differs in its
    arguments alone is told every ten minutes, with how many were passed over (`repeats`). Another error in the same
    words is told at once: one word stands for all bugs of an application. What stops and goes on again, we say
    ourselves, each once."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not any(record.name == name or record.name.startswith(f"{name}.") for name in _QUIET):
            return True
        now, said = record.created, (record.name, str(record.msg), *_errors(record))
        at, passed = self._told.get(said, (-_TOLD_AGAIN_S, 0))
        if now - at < _TOLD_AGAIN_S:
            self._told[said] = at, passed + 1
            return False
        if passed:
            record.repeats = passed
        # words that never come again do not stay for ever
        self._told = {one: told for one, told in self._told.items() if told[1] or now - told[0] < _TOLD_AGAIN_S}
        self._told[said] = now, 0
        return True


class OwnSteps(logging.Filter):
    """What libraries tell below a warning stays out: drivers of databases repeat whole rows there."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.name.partition(".")[0] in _OWN


def _errors(record: logging.LogRecord) -> Iterator[str]:
    """The classes of those that are told, and where the one with a traceback was raised."""
    given = record.args if isinstance(record.args, tuple) else ()
    raised = record.exc_info[1] if record.exc_info else None
    for error in (*given, raised):
        if isinstance(error, BaseException):
            yield type(error).__qualname__
    if raised is not None:
        for frame, line in [*traceback.walk_tb(raised.__traceback__)][-1:]:
            yield f"{frame.f_code.co_filename}:{line}"


def configure_logging(level: str | None, form: Format | None, stream: TextIO | None = None) -> None:
    """Once per process, by its composition root. `level` is a name of the standard library's levels; where a deployment
    says neither, as services log: info and json."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        remove_personal_data,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(OwnSteps())
    handler.addFilter(Repeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(form or "json")],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel((level or "info").upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _renderer(form: Format) -> structlog.typing.Processor:
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(value: object, **options: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def remove_personal_data(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last of the processors: by field name, and by what looks like a number of a person, card or account."""
    for field, value in event.items():
        if field not in ("timestamp", "level", "_record", "_from_structlog"):
            event[field] = REMOVED if field.lower() in PERSONAL_FIELDS else _cleaned(value)
    return event


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, Mapping):
        return {k: REMOVED if str(k).lower() in PERSONAL_FIELDS else _cleaned(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(item) for item in value]
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {scrub_text(str(value))}"
    return value


def scrub_text(text: str) -> str:
    """Without e-mail addresses, credentials in URLs, runs of ten digits or more (those within an id apart), and
    PostgreSQL's DETAIL."""
    text = _PERSONAL_DETAIL.sub("", text)
    text = _CREDENTIALS.sub(REMOVED, text)
    return _DIGITS.sub(lambda found: found["id"] or REMOVED, _EMAIL.sub(REMOVED, text))
