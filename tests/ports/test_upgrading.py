"""What an upgrade does with the rows of a bank that worked with an older release."""

from functools import partial

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.team import Load
from services.sql.migrations import SCRIPTS, upgrade
from tests.ports.alert_stores import alert, save
from tests.ports.emptied import opened

BEFORE_10 = (
    "drop index alerts_open", "drop index alert_rules_ended", "alter table alerts drop column due_at",
    "create index alerts_open on alerts (is_open, rank desc, alert_id)",
)  # fmt: skip


def step(revision: str, connection: Connection) -> None:
    """Of the way up, as it was when it was the last one."""
    script = ScriptDirectory(str(SCRIPTS)).get_revision(revision)
    with Operations.context(MigrationContext.configure(connection)):
        script.module.upgrade()


async def test_alerts_that_were_open_before_due_times_were_a_column_are_late_all_the_same(url: str) -> None:
    async with opened(url) as database:
        await upgrade(database)
        store = SqlAlertStore(database)
        told = 'his \\ "due_at": 7, \u2028 and more'
        await save(
            store, alert("a1", "c1", state="routed", due_at=10), alert("a2", "c2", state="routed", due_at=30),
            alert("a3", "c3", state="claimed", claimed_by=told),
        )  # fmt: skip
        before = await store.loads([], 20)
        async with database.transaction() as connection:
            for statement in BEFORE_10:
                await connection.execute(text(statement))
            await connection.run_sync(partial(step, "0010"))
        assert sorted(await store.loads([], 20)) == sorted(before)
        assert Load("M-1", "routed", 2, 1) in before
