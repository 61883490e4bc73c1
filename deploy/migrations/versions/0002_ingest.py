"""What ingest keeps: the keys of channel systems (hashed) and the parameters of sources."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        create table api_keys (
            key_hash text primary key, key_id text not null unique, source text not null, channels text not null,
            rate bigint not null, burst bigint not null, created_at bigint not null, revoked_at bigint
        )
    """)
    op.execute("create table sources (source text primary key, parameters text not null)")
