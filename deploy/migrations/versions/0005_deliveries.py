"""What delivery keeps: its position in the topic of alerts, a queue for each destination, and what it has told."""

from services.sql.tables import create_tables

revision = "0005"
down_revision = "0004"

TABLES = """
create table delivery_positions (
    topic text not null, partition integer not null, topic_id text not null, next bigint not null,
    primary key (topic, partition)
);
create table delivery_alerts (alert_id {key} primary key, steps integer not null, seen_at bigint not null);
create index delivery_alerts_seen_at on delivery_alerts (seen_at);
create table delivery_leases (destination {key} primary key, owner text not null, leased_until bigint not null);
create table deliveries (
    delivery_id {key} primary key, destination {key} not null, person {key} not null, alert_id {key} not null,
    happening {key} not null, step integer not null, state {key} not null, attempts integer not null,
    created_at bigint not null, tried_at bigint not null, next_at bigint not null, ended_at bigint not null,
    error text not null, body {bytes} not null,
    unique (destination, alert_id, happening, step, person)
);
create index deliveries_due on deliveries (destination, next_at, person) where state = 'waiting';
create index deliveries_untold on deliveries (alert_id) where state = 'waiting';
create index deliveries_sent on deliveries (destination, ended_at) where state = 'delivered';
create index deliveries_ended on deliveries (ended_at) where state <> 'waiting';
create index deliveries_created on deliveries (state, created_at desc);
"""


def upgrade() -> None:
    create_tables(TABLES, {})
