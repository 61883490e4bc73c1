"""PORT: what delivery needs of a database (SQLite, PostgreSQL) and of the world outside (HTTP, SMTP)."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from services.alerts.domain.delivering import Delivery
from services.alerts.domain.destinations import Destination
from services.alerts.domain.messages import News
from services.alerts.domain.notices import Notice
from services.log import Move, PositionStore


class Parcel(NamedTuple):
    """One message. `news` holds one, those of a digest, or none where it is a `notice`. `message_id` stays the same
    when the message is sent again."""

    message_id: str
    person: str
    news: Sequence[News]
    notice: Notice | None = None


class Sender(Protocol):
    async def send(self, destination: Destination, parcel: Parcel, now: int) -> None:
        """Raises `Unavailable` where it may arrive later, `Rejected` where it never will; neither repeats a secret."""

    async def test(self, destination: Destination, now: int) -> None:
        """Sends a message that says that it is a test. Raises the same."""


class DeliveryTransaction(Protocol):
    """Leaving the context commits; an exception rolls back all of it."""

    async def advance(self, moves: Sequence[Move]) -> None:
        """Moves each position `until where next = start` (inserts it where none is stored), or raises `Fenced`."""

    async def seen(self, alert_ids: Sequence[str]) -> dict[str, int]:
        """alert id → how many steps of it were looked at; new ones are left out."""

    async def save_seen(self, steps: Mapping[str, int], now: int) -> None: ...

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """What is there already, by its id, stays as it is; what was dropped untold waits again."""

    async def drop_untold(self, alert_ids: Sequence[str], destinations: Sequence[str], now: int) -> None:
        """What waits there on these alerts, tried in vain or not yet, becomes `dropped`."""


class DeliveryStore(PositionStore, Protocol):
    """Raises `Unavailable` when the database is away; `Contended` where the same may succeed at the next try."""

    def accepting(self) -> AbstractAsyncContextManager[DeliveryTransaction]: ...

    async def lease(self, destination: str, owner: str, ttl_ms: int) -> bool:
        """One worker at a time speaks to a destination. True for the one that has it now, for so long by the
        store's own clock."""

    async def release(self, destination: str, owner: str) -> None: ...

    async def due(self, destination: str, now: int, limit: int) -> list[Delivery]:
        """Waiting ones, those that are due for longest first; of the same time, by person."""

    async def sent_since(self, destination: str, since: int) -> dict[str, list[int]]:
        """person → when messages arrived (ms)."""

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Writes what became of them; what was dropped meanwhile waits no more."""

    async def find(self, state: str | None, destination: str | None, limit: int) -> list[Delivery]:
        """The newest first."""

    async def retry(self, delivery_ids: Sequence[str], now: int) -> int:
        """Dead ones wait again, as if never tried; returns how many."""

    async def count(self) -> dict[tuple[str, str], int]:
        """(destination, state) → deliveries that wait or are dead. Those that ended are kept for weeks, and too many
        to be counted again and again."""

    async def drop(self, before: int) -> int:
        """What ended before, and alerts not heard of since; returns how many deliveries."""
