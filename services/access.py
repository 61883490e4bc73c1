"""Who of the staff may read and decide: users, their bearer tokens, and where they are kept.

A token is shown once and stored as its hash. A user may hold several, so that one can be replaced without a gap.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol, get_args

import msgspec

from schemas.identifiers import IdentifierError, normalise
from schemas.instants import DAY_MS
from services.credentials import CredentialCache, hashed
from services.failures import Rejected
from services.sql.database import Database
from services.sql.session import Row, read, writing

Role = Literal["agent", "manager", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do all that the ones before it may."""

MAX_NAME = 100
NOBODY = "system"
"""What signs the steps that no person has taken."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One token of a user. `name` is what decisions are signed with; `manager_id` whose portfolio a manager works, None
    for one who oversees all of them. Times in ms. `expires_at`: from then on it is refused; None: it stands until it is
    revoked."""

    user_id: str
    name: str
    role: Role
    manager_id: str | None = None
    created_at: int = 0
    revoked_at: int | None = None
    expires_at: int | None = None

    def stands(self, now_ms: int) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now_ms < self.expires_at)

    def may(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


class Taken(Exception):  # noqa: N818 - an outcome that the caller handles
    """The id or the token is there already."""


class UserStore(Protocol):
    """Every method raises `Unavailable`."""

    async def add(self, token_hash: str, user: User) -> None:
        """Raises `Taken`."""

    async def find(self, token_hash: str) -> User | None:
        """Revoked ones, too: the caller decides."""

    async def users(self) -> Sequence[User]:
        """By name, then id."""

    async def revoke(self, user_id: str, at: int) -> bool:
        """False: there is no such id, or it was revoked before."""


class Access:
    """Answers from memory for less than a second, so that a revoked token stops within it. `monotonic`: seconds;
    `now_ms`: the time by which tokens expire."""

    def __init__(self, store: UserStore, monotonic: Callable[[], float], now_ms: Callable[[], int]) -> None:
        self._store, self._now_ms = store, now_ms
        self._cache = CredentialCache(self._look_up, monotonic)

    async def user(self, token: str) -> User | None:
        """None: no such token, or one that was revoked or has expired. Raises `Unavailable`."""
        return await self._cache.get(hashed(token))

    async def _look_up(self, token_hash: str) -> User | None:
        found = await self._store.find(token_hash)
        return found if found is not None and found.stands(self._now_ms()) else None


class NewToken(NamedTuple):
    """`token` is shown once and kept nowhere."""

    token: str
    user: User


def checked_user(name: str, role: str, manager_id: str | None = None) -> tuple[str, Role, str | None]:
    """What a token can be made for, in normal form. Raises `Rejected` naming the field."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise Rejected("invalid_value", f"1 to {MAX_NAME} printable characters are expected", "name")
    if name.casefold() == NOBODY:
        raise Rejected("invalid_value", "this name signs what no person has done", "name")
    known = next((one for one in ROLES if one == role), None)
    if known is None:
        raise Rejected("invalid_value", f"one of {', '.join(ROLES)} is expected", "role")
    return name, known, None if manager_id is None else _manager(manager_id, known)


async def create_user(
    store: UserStore, name: str, role: str, now_ms: int, manager_id: str | None = None, days: int | None = None
) -> NewToken:
    """`days`: for how long it stands. Raises `Rejected` naming the field, `Unavailable`."""
    name, known, manager_id = checked_user(name, role, manager_id)
    token = "cpt_" + secrets.token_urlsafe(32)
    user_id = "usr_" + secrets.token_hex(6)
    until = None if days is None else now_ms + days * DAY_MS
    user = User(user_id=user_id, name=name, role=known, manager_id=manager_id, created_at=now_ms, expires_at=until)
    await store.add(hashed(token), user)
    return NewToken(token, user)


def _manager(manager_id: str, role: Role) -> str:
    """In the form in which the bank's events name one. Raises `Rejected`."""
    if role != "manager":
        raise Rejected("invalid_value", "only a manager works a portfolio", "manager_id")
    try:
        normal = normalise("manager_id", manager_id)
    except IdentifierError as error:
        raise Rejected("invalid_value", str(error), "manager_id") from error
    if normal is None:
        raise Rejected("invalid_value", "stands for nobody", "manager_id")
    return normal


_COLUMNS = ", ".join(User.__struct_fields__)
_ADD = f"insert into users (token_hash, {_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing"  # noqa: S608 - constants
_FIND = f"select {_COLUMNS} from users where token_hash = $1"  # noqa: S608 - constants
_ALL = f"select {_COLUMNS} from users"  # noqa: S608 - constants
_REVOKE = "update users set revoked_at = $2 where user_id = $1 and revoked_at is null"


class SqlUserStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token_hash: str, user: User) -> None:
        async with writing(self._database) as session:
            if await session.run(_ADD, token_hash, *msgspec.structs.astuple(user)) != 1:
                raise Taken(user.user_id)

    async def find(self, token_hash: str) -> User | None:
        found = await read(self._database, _FIND, token_hash)
        return _user(found[0]) if found else None

    async def users(self) -> Sequence[User]:
        found = await read(self._database, _ALL)
        # databases do not agree on how text sorts
        return sorted(map(_user, found), key=lambda user: (user.name, user.user_id))

    async def revoke(self, user_id: str, at: int) -> bool:
        async with writing(self._database) as session:
            return await session.run(_REVOKE, user_id, at) == 1


def _user(row: Row) -> User:
    return User(**dict(zip(User.__struct_fields__, row, strict=True)))
