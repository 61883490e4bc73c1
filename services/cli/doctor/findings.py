"""What a check says of a deployment."""

from pathlib import Path
from typing import Literal, NamedTuple

from services.cli.beside import Beside
from services.cli.refusals import sentence_of
from services.log import EventLog


class Finding(NamedTuple):
    what: str
    state: Literal["ok", "warning", "wrong"]
    told: str


class Patient(NamedTuple):
    """What is examined. `log` is None where it cannot be opened."""

    beside: Beside
    log: EventLog | None
    data: Path | None
    patience: float


def ok(what: str, told: str) -> Finding:
    return Finding(what, "ok", told)


def warning(what: str, told: str) -> Finding:
    return Finding(what, "warning", told)


def wrong(what: str, told: str) -> Finding:
    return Finding(what, "wrong", told)


def failed(what: str, error: Exception) -> Finding:
    """A check that could not go on."""
    return wrong(what, sentence_of(error) or f"{type(error).__name__}: this is a mistake of ours, please report it")
