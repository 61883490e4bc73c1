"""Who of the staff may read and decide: bearer tokens (hashed) with the user's name, role and portfolio."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        create table users (
            token_hash text primary key, user_id text not null unique, name text not null, role text not null,
            manager_id text, created_at bigint not null, revoked_at bigint
        )
    """)
