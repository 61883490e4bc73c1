"""An event that can never succeed, with the reason and the place; scrubbed before it gets here."""

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where it stood in the log."""

    topic: str
    partition: int
    offset: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """`stage` is the verb that gave up (accept, update…), `reason` a stable word for metrics, `field` a JSON path.

    `body` is the scrubbed input, or an excerpt where it could not be parsed; `length` (bytes) and `sha256` (hex) are
    those of the input as it came. `at` is ms UTC. `event_id` is empty when none could be read. `message` and `field`
    never repeat a personal or secret value.
    """

    id: str
    stage: str
    source: str
    reason: str
    message: str
    body: bytes
    length: int
    sha256: str
    at: int
    field: str = ""
    event_id: str = ""
    place: Place | None = None
