"""After a database went back in time, while the log did not."""

from services.sql.database import Database
from services.sql.session import writing

FAR_AHEAD = 1_000_000
"""More versions than any customer comes to between a backup and the day on which it is needed."""


async def raise_versions(database: Database) -> int:
    """Lifts every view beyond what was published of it before: whoever reads changes has seen those versions and would
    skip the next ones. Returns how many. Workers may run."""
    async with writing(database) as session:
        if session.dialect == "postgresql":
            await session.run("set local statement_timeout = 0")
        return await session.run("update views set version = version + $1", FAR_AHEAD)
