"""What holds names and phone numbers is no other user's of the machine to read."""

import stat
from pathlib import Path

from schemas.topics import Topic
from services.embedded.log import EmbeddedLog
from services.log import Message
from services.sql.engines import sqlite_engine, timeouts_within


def modes(directory: Path) -> dict[str, set[int]]:
    """File name's ending → modes."""
    found: dict[str, set[int]] = {}
    for path in directory.rglob("*.*"):
        found.setdefault(path.suffix, set()).add(stat.S_IMODE(path.stat().st_mode))
    return found


async def test_database_and_log_and_their_journals_are_their_owner_s_alone(tmp_path: Path) -> None:
    engine, log = sqlite_engine(tmp_path / "counterpoint.db", timeouts_within(6_000), 1), EmbeddedLog(tmp_path / "log")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("create table people (name text)")
        await log.ensure_topics([Topic("events", 1)])
        await log.append("events", [Message(b"key", b"value")])
        found = modes(tmp_path)
    assert found.keys() >= {".db", ".db-wal", ".sqlite", ".sqlite-wal"}
    assert set.union(*found.values()) == {0o600}
    await log.close()
    await engine.dispose()
