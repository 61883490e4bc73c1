"""A service's own user of Redis, with the rights that a bank gives it: those of deploy/rights/redis.acl."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis

from services.redis import connect
from tests.ports.emptied import RIGHTS

PASSWORD = "of@a/test"


@asynccontextmanager
async def user_of_redis(url: str, service: str) -> AsyncIterator[str]:
    """Its URL without the password, which is `PASSWORD`. Nothing of what it asks for is refused."""
    name = f"counterpoint_{service}"
    server = connect(url)
    await server.acl_log_reset()
    tell: Any = server.execute_command  # has no types in the library
    await tell("ACL", "SETUSER", name, *_rules(name), f">{PASSWORD}")
    parts = urlsplit(url)
    try:
        yield urlunsplit(parts._replace(netloc=f"{name}@{parts.netloc.rpartition('@')[2]}"))
        assert await _refused(server, name) == []
    finally:
        await tell("ACL", "DELUSER", name)
        await server.aclose()


def _rules(name: str) -> list[str]:
    lines = [line.split() for line in RIGHTS.with_name("redis.acl").read_text().splitlines()]
    (rules,) = [rules for (_, user, *rules) in lines if user == name]
    return rules


async def _refused(server: Redis, name: str) -> list[str]:
    """But that the driver names itself, which only newer servers know, and whose refusal it takes no notice of."""
    found = [str(one["object"]) for one in await server.acl_log() if one["username"] == name]
    return [what for what in found if what != "client|setinfo"]
