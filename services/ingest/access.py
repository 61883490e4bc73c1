"""Which terms a key stands for. Answers are remembered for less than a second, so that a revoked key or a changed
source takes effect within one."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from services.credentials import CredentialCache, hashed
from services.failures import Unavailable
from services.ingest.domain.sources import Terms
from services.ingest.ports import KeyStore, SourceStore

# Nobody can revoke a key while the database is away, so an answer from before it went is still the right one; what
# was revoked in the last half second before is the price of going on.
GRACE_S = 60.0


class KeyAccess:
    """`monotonic` gives seconds."""

    def __init__(self, keys: KeyStore, sources: SourceStore, monotonic: Callable[[], float]) -> None:
        self._keys, self._sources, self._monotonic = keys, sources, monotonic
        self._cache = CredentialCache(self._look_up, monotonic)

    async def terms(self, secret: str) -> Terms | None:
        """None: no such key, a revoked one, or its source is not registered or switched off. Raises `Unavailable`."""
        key_hash = hashed(secret)
        try:
            return await self._cache.get(key_hash)
        except Unavailable:
            known = self._cache.last(key_hash)
            if known is None or known.value is None or self._monotonic() - known.at > GRACE_S:
                raise
            return known.value

    async def _look_up(self, key_hash: str) -> Terms | None:
        grant = await self._keys.find(key_hash)
        if grant is None or grant.revoked_at is not None:
            return None
        source = await self._sources.find(grant.source)
        if source is None or not source.enabled:
            return None
        return Terms(grant, source, ZoneInfo(source.time_zone))
