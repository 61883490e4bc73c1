"""What is late and what was closed in a month is counted for several people at once."""

from alembic import op

revision = "0010"
down_revision = "0009"

BACKFILL = "update alerts set due_at = coalesce({due}, 0) where is_open"
DUE = {
    "postgresql": "(convert_from(body, 'UTF8')::json ->> 'due_at')::bigint",
    "sqlite": "json_extract(cast(body as text), '$.due_at')",
}
FILTERED = "state, severity, situation, kind, owner, waiting, worded_by, rules, due_at"
INDEX = {
    "postgresql": f"(is_open, rank desc, alert_id) include ({FILTERED})",
    "sqlite": f"(is_open, rank desc, alert_id, {FILTERED})",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.execute("alter table alerts add column due_at bigint not null default 0")
    op.execute(BACKFILL.format(due=DUE[dialect]))
    op.execute("drop index alerts_open")
    op.execute(f"create index alerts_open on alerts {INDEX[dialect]}")
    op.execute("create index alert_rules_ended on alert_rules (ended_at, owner, result, alert_id) where result <> ''")
