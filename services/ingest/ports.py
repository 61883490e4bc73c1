"""What ingest needs: where keys and sources are kept, and who counts the rate of a key."""

from collections.abc import Sequence
from typing import Protocol

from services.ingest.domain.sources import Grant, Source


class KeyStore(Protocol):
    """Keys are found by the hash of the secret that the channel system holds; the secret itself is never kept.

    Every method raises `Unavailable`.
    """

    async def add(self, key_hash: str, grant: Grant) -> None:
        """Raises `Conflict` when the key id or the hash is taken."""

    async def find(self, key_hash: str) -> Grant | None:
        """Revoked ones, too: the caller decides."""

    async def grants(self) -> Sequence[Grant]:
        """Every key, by key id."""

    async def revoke(self, key_id: str, at: int) -> bool:
        """False: there is no such key, or it was revoked before."""


class SourceStore(Protocol):
    """Every method raises `Unavailable`."""

    async def put(self, source: Source) -> None:
        """Registers a source, or replaces its parameters."""

    async def find(self, source_id: str) -> Source | None: ...

    async def sources(self) -> Sequence[Source]:
        """Every source, by id."""


class RateLimiter(Protocol):
    async def take(self, key_id: str, cost: int, rate: int, burst: int) -> float:
        """Takes `cost` from the key's bucket, which fills by `rate` a second up to `burst`.

        Returns 0, or the seconds after which to try again; then nothing was taken. A cost above `burst` is granted
        by a full bucket, which then owes the rest.
        """


class Conflict(Exception):  # noqa: N818 - an outcome that the caller handles
    """It is there already."""
