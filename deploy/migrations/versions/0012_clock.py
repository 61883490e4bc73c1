"""By which clock a deployment lives: those of before live by the system's."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("alter table deployment add column clock text")
    op.execute("update deployment set clock = 'system'")
