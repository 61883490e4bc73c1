"""What all processes of a deployment must have alike: one row."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        create table deployment (
            one integer primary key check (one = 1), secret_fingerprint text not null
        )
    """)
