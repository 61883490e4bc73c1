"""Alerts that wait for room are found owner by owner, and outcomes are counted without reading the rows."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("drop index alerts_waiting")
    op.execute("""
        create index alerts_waiting on alerts (owner, rank desc, alert_id)
        where state = 'new' and waiting in ('', 'capacity')
    """)
    op.execute("""
        create index alert_rules_outcomes on alert_rules (rule, version, branch, owner, ended_at, result)
        where result <> ''
    """)
