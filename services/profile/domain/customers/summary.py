"""What summing up a customer results in."""

from typing import Any, NamedTuple

from schemas.changes import Fact, Moment
from services.profile.domain.customers.customer import Decided


class DueTime(NamedTuple):
    """`at` in ms; `grain` "day" or "hour"; `sources` must be complete past `at` before it fires."""

    at: int
    kind: str
    grain: str
    sources: tuple[str, ...]


class Facts(NamedTuple):
    """`values`: facts that are not at rest. `missing`: unknown; `not_covered`: no registered source could tell;
    `unheard`: channels of which not everything has been heard."""

    values: dict[str, Fact]
    missing: list[str]
    not_covered: list[str]
    unheard: list[str]


class Shown(NamedTuple):
    """What a view shows. `body` is JSON data, references in place of personal values."""

    kind: str
    body: dict[str, Any]
    decided: Decided
    name_ref: str | None


class Summary(NamedTuple):
    """What a view shows, and all that follows from it."""

    kind: str
    body: dict[str, Any]
    facts: Facts
    moments: list[Moment]
    due: list[DueTime]
    decided: Decided
    name_ref: str | None
