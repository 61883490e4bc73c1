"""The three ways in which a stage fails. Two have a name here; the third, a bug, is every other exception."""

import traceback
from pathlib import PurePath
from typing import Literal

FailureKind = Literal["contended", "unavailable", "fenced", "stopped", "bug"]
_FRAMES = 6
"""Enough to find a bug by, and short enough for a dead letter and a line of the log."""


class Rejected(Exception):  # noqa: N818 - the design's word for an outcome, not for a programming error
    """It can never succeed: a dead letter, and the stream goes on.

    `field` names the offending input (JSON path), `reason` is a stable word for metrics (`unknown_type`), the
    message says what to do. The message never repeats a personal or secret value.
    """

    def __init__(self, reason: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.reason, self.message, self.field = reason, message, field


class Unavailable(Exception):  # noqa: N818 - see above
    """A server or a disk is away: wait and retry, never dead-letter. `retry_after` is in seconds; `setting` names the
    variable that says where it is, for an operator."""

    def __init__(self, what: str, retry_after: float = 1.0, *, setting: str = "") -> None:
        super().__init__(what)
        self.retry_after, self.setting = retry_after, setting


class Interrupted(Unavailable):
    """The database went away in the midst of a transaction, or ended it because it took too long: then one with less
    in it may succeed."""


class Fenced(Exception):  # noqa: N818 - see above
    """Another worker owns this partition or shard now: roll back, drop what is buffered, stop working on it."""


class Contended(Exception):  # noqa: N818 - see above
    """A deadlock, a serialization failure or a lock timeout: the same transaction may succeed at the next try."""


def trace_of(error: BaseException) -> str:
    """Its class and the innermost frames, newest first. Its message stays out: it may repeat a personal value."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-_FRAMES:])
    places = [f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    return type(error).__qualname__ + (" at " + " < ".join(places) if places else "")
