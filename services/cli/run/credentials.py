"""The first keys and tokens of a deployment on one machine: made once, kept beside its data for its owner alone."""

import os
from pathlib import Path

import msgspec

from schemas.catalogue import load_catalogue
from services.access import UserStore, create_user
from services.ingest.app import Stores
from services.ingest.domain.sources import EVERY, Source
from services.ingest.registry import create_key, set_source

FIRST_SOURCE = "bank"


class Credentials(msgspec.Struct):
    """`ingest_key` may publish for every channel and is of record for every type."""

    base_url: str
    ingest_key: str
    agent_token: str
    manager_token: str
    admin_token: str


async def credentials(path: Path, base_url: str, stores: Stores, users: UserStore, now_ms: int) -> Credentials:
    """Those of the last start, at today's address; made now where there are none."""
    known = _read(path)
    if known is not None:
        known.base_url = base_url
    else:
        await set_source(stores.sources, Source(id=FIRST_SOURCE, of_record=(EVERY,)), load_catalogue())
        key, _ = await create_key(stores.keys, stores.sources, FIRST_SOURCE, [EVERY], now_ms, rate=100_000)
        made = [await create_user(users, f"first {role}", role, now_ms) for role in ("agent", "manager", "admin")]
        known = Credentials(base_url, key, *(one.token for one in made))
    write_private(path, msgspec.json.format(msgspec.json.encode(known), indent=2))
    write_private(path.with_suffix(".env"), _for_a_shell(known).encode())
    return known


def _for_a_shell(known: Credentials) -> str:
    """Lines that a shell reads with `.`: the names of the JSON file in capitals."""
    return "".join(f"export {name.upper()}={value}\n" for name, value in msgspec.to_builtins(known).items())


def _read(path: Path) -> Credentials | None:
    return msgspec.json.decode(path.read_bytes(), type=Credentials) if path.exists() else None


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
