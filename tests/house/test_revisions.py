"""The shape of the database has one history: whoever adds a revision adds it behind the newest."""

from alembic.script import ScriptDirectory

from services.sql.migrations import SCRIPTS


def test_each_revision_follows_the_one_before() -> None:
    said = [one.path.rpartition("/")[2] for one in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
    files = sorted((path.name for path in (SCRIPTS / "versions").glob("*.py")), reverse=True)
    assert said == files
    assert [int(name[:4]) for name in files] == list(range(len(files), 0, -1))
