"""After a database went back in time, while the log did not."""

from sqlalchemy import text

from services.sql.database import Database

FAR_AHEAD = 1_000_000
"""More versions than any customer comes to between a backup and the day on which it is needed."""


async def raise_versions(database: Database) -> int:
    """Lifts every view beyond what was published of it before: whoever reads changes has seen those versions and would
    skip the next ones. Returns how many. Workers may run."""
    async with database.transaction() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("set local statement_timeout = 0"))
        raised = await connection.execute(text("update views set version = version + :by"), {"by": FAR_AHEAD})
        return raised.rowcount
