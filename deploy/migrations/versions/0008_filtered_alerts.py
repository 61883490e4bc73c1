"""Whatever a bank's alerts are filtered by stands in one index by rank: what few of them match is found without reading
their rows."""

from alembic import op

revision = "0008"
down_revision = "0007"

SPEAK = """
update alerts set rules = spoke.rules from (
    select alert_id, ' ' || {words} || ' ' as rules from alert_rules group by alert_id
) spoke where spoke.alert_id = alerts.alert_id"""
WORDS = {"postgresql": "string_agg(rule, ' ' order by rule)", "sqlite": "group_concat(rule, ' ')"}
FILTERED = "state, severity, situation, kind, owner, waiting, worded_by, rules"
INDEX = {
    "postgresql": f"(is_open, rank desc, alert_id) include ({FILTERED})",
    "sqlite": f"(is_open, rank desc, alert_id, {FILTERED})",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for index in ("alerts_open", "alerts_state", "alerts_all", "alert_rules_rule"):
        op.execute(f"drop index {index}")
    op.execute("alter table alerts add column rules text not null default ''")
    op.execute(SPEAK.format(words=WORDS[dialect]))
    op.execute(f"create index alerts_open on alerts {INDEX[dialect]}")
