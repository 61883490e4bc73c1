"""Everything the alert service keeps: positions, what it knows of customers, alerts, outbox; switched rules, and what
was told of them."""

from services.sql.tables import create_tables

revision = "0004"
down_revision = "0003"

TABLES = """
create table alert_positions (
    topic text not null, partition integer not null, topic_id text not null, next bigint not null,
    primary key (topic, partition)
);
create table alert_customers (customer_id {key} primary key, standing {bytes} not null) {hot};
create table alerts (
    alert_id {key} primary key, customer_id {key} not null, situation {key} not null, kind {key} not null,
    state {key} not null, severity integer not null, owner {key} not null, escalated_to {key} not null,
    rank {double} not null, opened_at bigint not null, routed_day integer not null, look_at bigint not null,
    waiting {key} not null, worded_by {key} not null, is_open boolean not null, body {bytes} not null
) {hot};
create unique index alerts_one_open on alerts (customer_id, situation) where is_open;
create index alerts_customer on alerts (customer_id, is_open, rank desc, alert_id);
create index alerts_owner on alerts (owner, is_open, rank desc, alert_id);
create index alerts_escalated on alerts (escalated_to, is_open, rank desc, alert_id);
create index alerts_open on alerts (is_open, rank desc, alert_id);
create index alerts_state on alerts (state, rank desc, alert_id);
create index alerts_all on alerts (rank desc, alert_id);
create index alerts_look_at on alerts (look_at) where is_open and look_at > 0;
create index alerts_waiting on alerts (rank desc, alert_id) where state = 'new' and waiting in ('', 'capacity');
create index alerts_routed on alerts (owner, routed_day) where routed_day >= 0;
create table alert_rules (
    alert_id {key} not null, rule {key} not null, version integer not null, said_at bigint not null,
    result {key} not null, branch {key} not null, owner {key} not null, ended_at bigint not null,
    primary key (alert_id, rule)
) {clustered};
create index alert_rules_rule on alert_rules (rule, result);
create index alert_rules_said_at on alert_rules (rule, said_at);
create table rule_switches (
    n {serial}, rule {key} not null, enabled boolean not null, actor text not null, at bigint not null,
    note text not null{switches_key}
);
create index rule_switches_rule on rule_switches (rule, n);
create table rule_notices (
    n {serial}, rule {key} not null, matter {key} not null, at bigint not null, body {bytes} not null{switches_key}
);
create index rule_notices_rule on rule_notices (rule, matter, n);
create index rule_notices_at on rule_notices (at);
create table rule_editions (
    n {serial}, rule {key} not null, at bigint not null, body {bytes} not null{switches_key}
);
create index rule_editions_rule on rule_editions (rule, n);
create table alert_lanes (lane {key} primary key, last_n bigint not null, published bigint not null) {hot};
create table alert_outbox (
    lane {key} not null, n bigint not null, topic text not null, key {bytes} not null, value {bytes} not null,
    created_at bigint not null, primary key (lane, n)
) {queue};
"""
COMPRESSED = {"alert_customers": ["standing"], "alerts": ["body"], "alert_outbox": ["value"]}


def upgrade() -> None:
    create_tables(TABLES, COMPRESSED, {"switches_key": (", primary key (n)", "")})
