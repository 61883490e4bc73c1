"""What an erased customer's subjects told until then tells nothing personal any more."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("alter table subjects add column erased_at bigint not null default 0")
