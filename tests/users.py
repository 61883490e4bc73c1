"""Users in memory, for tests of whatever asks who somebody is. Held to the contract of `tests/ports/test_access.py`."""

from collections.abc import Sequence

import msgspec

from services.access import Taken, User


class MemoryUserStore:
    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    async def add(self, token_hash: str, user: User) -> None:
        if token_hash in self._users or any(known.user_id == user.user_id for known in self._users.values()):
            raise Taken(user.user_id)
        self._users[token_hash] = user

    async def find(self, token_hash: str) -> User | None:
        return self._users.get(token_hash)

    async def users(self) -> Sequence[User]:
        return sorted(self._users.values(), key=lambda user: (user.name, user.user_id))

    async def revoke(self, user_id: str, at: int) -> bool:
        for hashed, user in self._users.items():
            if user.user_id == user_id and user.revoked_at is None:
                self._users[hashed] = msgspec.structs.replace(user, revoked_at=at)
                return True
        return False
