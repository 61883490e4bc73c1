"""A token of staff may be good for some time only."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("alter table users add column expires_at bigint")
