"""One contract of users and their tokens, held by memory, SQLite and PostgreSQL; and how long a token is believed."""

from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from services.access import Access, SqlUserStore, Taken, User, UserStore, create_user
from services.credentials import TTL_S
from services.failures import Rejected
from tests.ports.emptied import emptied
from tests.users import MemoryUserStore

USER = User(user_id="usr_1", name="Mei", role="manager", created_at=7)


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[UserStore]:
    if not store_url:
        yield MemoryUserStore()
        return
    async with emptied(store_url) as database:
        yield SqlUserStore(database)


async def test_a_user_is_found_by_the_hash_of_the_token(store: UserStore) -> None:
    await store.add("hash", USER)
    assert await store.find("hash") == USER
    assert await store.find("HASH") is None


async def test_users_are_listed_by_name_and_may_hold_several_tokens(store: UserStore) -> None:
    other = msgspec.structs.replace(USER, user_id="usr_0")
    first = msgspec.structs.replace(USER, user_id="usr_9", name="An", role="agent")
    for number, user in enumerate((USER, other, first)):
        await store.add(f"hash {number}", user)
    assert await store.users() == [first, other, USER]


async def test_a_revoked_user_is_still_found_and_says_when(store: UserStore) -> None:
    await store.add("hash", USER)
    assert await store.revoke("usr_1", 1_795_320_000_000)
    assert await store.find("hash") == msgspec.structs.replace(USER, revoked_at=1_795_320_000_000)


async def test_revoking_twice_keeps_the_first_date_and_an_unknown_one_is_told(store: UserStore) -> None:
    await store.add("hash", USER)
    await store.revoke("usr_1", 1)
    assert not await store.revoke("usr_1", 2)
    assert not await store.revoke("usr_2", 2)
    assert [user.revoked_at for user in await store.users()] == [1]


@pytest.mark.parametrize(("token_hash", "user_id"), [("hash", "usr_2"), ("other", "usr_1")])
async def test_neither_token_nor_id_is_given_twice(store: UserStore, token_hash: str, user_id: str) -> None:
    await store.add("hash", USER)
    with pytest.raises(Taken):
        await store.add(token_hash, msgspec.structs.replace(USER, user_id=user_id))
    assert await store.users() == [USER]


async def test_a_created_user_signs_in_with_the_token_that_was_shown(store: UserStore) -> None:
    token, user = await create_user(store, " Mei ", "manager", 7)
    assert (user.name, user.role, user.created_at) == ("Mei", "manager", 7)
    assert await Access(store, lambda: 0.0, lambda: 0).user(token) == user
    assert await Access(store, lambda: 0.0, lambda: 0).user(token + "x") is None


async def test_a_token_stands_until_it_expires(store: UserStore) -> None:
    token, user = await create_user(store, "Mei", "manager", 7, days=90)
    assert user.expires_at == 7 + 90 * 86_400_000
    last = user.expires_at - 1
    assert await Access(store, lambda: 0.0, lambda: last).user(token) == user
    assert await Access(store, lambda: 0.0, lambda: last + 1).user(token) is None
    assert [one.expires_at for one in await store.users()] == [user.expires_at]


async def test_a_token_that_expires_while_it_is_remembered_stops_within_a_second(store: UserStore) -> None:
    token, user = await create_user(store, "Mei", "manager", 0, days=1)
    clock = [0.0, 86_399_999.0]
    access = Access(store, lambda: clock[0], lambda: int(clock[1]))
    assert await access.user(token) == user
    clock[:] = [TTL_S, 86_400_000.0]
    assert await access.user(token) is None


async def test_the_token_itself_is_kept_nowhere(store: UserStore) -> None:
    token, _ = await create_user(store, "Mei", "agent", 7)
    assert token.startswith("cpt_")
    assert await store.find(token) is None


async def test_a_manager_may_work_one_portfolio(store: UserStore) -> None:
    token, user = await create_user(store, "Mei", "manager", 7, " M-104 ")
    assert user.manager_id == "M-104"
    assert await Access(store, lambda: 0.0, lambda: 0).user(token) == user


@pytest.mark.parametrize(("role", "manager_id"), [("agent", "M-1"), ("admin", "M-1"), ("manager", " ")])
async def test_only_a_manager_has_a_portfolio_and_it_has_a_name(store: UserStore, role: str, manager_id: str) -> None:
    with pytest.raises(Rejected) as rejected:
        await create_user(store, "Mei", role, 7, manager_id)
    assert rejected.value.field == "manager_id"
    assert not await store.users()


@pytest.mark.parametrize(
    ("name", "role", "field"),
    [("", "agent", "name"), ("a\0b", "agent", "name"), ("System", "agent", "name"), ("An", "root", "role")],
)
async def test_a_user_needs_a_printable_name_and_a_known_role(
    store: UserStore, name: str, role: str, field: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        await create_user(store, name, role, 7)
    assert rejected.value.field == field
    assert not await store.users()


async def test_a_revoked_token_stops_working_within_a_second(store: UserStore) -> None:
    now = 0.0
    access = Access(store, lambda: now, lambda: 0)
    token, user = await create_user(store, "Mei", "agent", 7)
    assert await access.user(token) == user
    await store.revoke(user.user_id, 8)
    assert await access.user(token) == user
    assert TTL_S < 1
    now = TTL_S
    assert await access.user(token) is None


def test_a_role_may_do_all_that_the_ones_before_it_may() -> None:
    manager = User(user_id="usr_1", name="Mei", role="manager")
    assert [manager.may(role) for role in ("agent", "manager", "admin")] == [True, True, False]
