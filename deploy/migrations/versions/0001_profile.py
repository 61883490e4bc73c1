"""Everything the profile keeps: positions, ledger, subjects, links, views, outbox."""

from alembic import op

from services.sql.tables import create_tables

revision = "0001"
down_revision = None

SHARDS = 16

TABLES = """
create table positions (
    topic text not null, partition integer not null, topic_id text not null, next bigint not null,
    primary key (topic, partition)
);
create table ledgers (day integer primary key);
create table subjects (
    subject {key} primary key, alias {key} not null unique, version bigint not null, fold_version integer not null,
    cuts text not null, roots text not null, heads {bytes} not null
) {hot};
create index subjects_fold_version on subjects (fold_version);
{folded_subject};
create table parts (
    subject {key} not null, month integer not null, body {bytes} not null, primary key (subject, month)
) {hot};
create table timeline (
    subject {key} not null, occurred_at bigint not null, sequence bigint not null, key {bytes} not null,
    type text not null, channel text not null, accepted_at bigint not null, event {bytes} not null,
    primary key (subject, occurred_at, sequence, key)
) {clustered};
create table bases (
    subject {key} primary key, fold_version integer not null, body {bytes} not null
) {clustered};
create table links (
    subject {key} not null, target {key} not null, role {key} not null, first_at bigint, told_at text not null,
    past boolean not null, ends text not null, barred_by text not null, source text not null, event_id text not null,
    primary key (subject, target, role)
) {clustered};
create index links_target on links (target);
create table memberships (
    root {key} not null, subject {key} not null, role {key} not null, from_at bigint not null, until_at bigint not null,
    primary key (root, subject, role, from_at, until_at)
) {clustered};
create index memberships_subject on memberships (subject);
create table marks (
    shard integer not null, n {serial}, root {key} not null, accepted_at bigint not null,
    urgent_at bigint not null, aside boolean not null default false{marks_key}
) {queue};
{marks_shard};
create index marks_root on marks (root, n);
create index marks_urgent on marks (shard, n) where urgent_at > 0;
create table shards (
    shard integer primary key, owner text, fence bigint not null, leased_until bigint not null
) {hot};
create table workers (worker text primary key, seen_at bigint not null) {hot};
create table views (
    lead {key} primary key, customer_id {key} not null unique, version bigint not null, kind text not null,
    state text not null, changed_at bigint not null, body {bytes} not null, facts {bytes} not null,
    decided {bytes} not null, owner {key}, tier text, name_ref {key}
) {hot};
create index views_owner on views (owner, kind) where state = 'live';
create table placements (
    lead {key} not null, at bigint not null, decided {bytes} not null, primary key (lead, at)
) {clustered};
create table due (
    lead {key} not null, at bigint not null, kind {key} not null, grain {key} not null, sources {key} not null,
    primary key (lead, at, kind)
) {clustered};
create index due_grain on due (grain, sources, at);
create table clusters (root {key} primary key, lead {key} not null);
create index clusters_lead on clusters (lead);
create table decisions (
    decision_id {key} primary key, kind {key} not null, subjects text not null, at bigint not null, actor text not null,
    reason text not null, undoes {key}, body {bytes} not null
);
create index decisions_kind on decisions (kind, at);
create index decisions_undoes on decisions (undoes);
create table decision_subjects (
    subject {key} not null, decision_id {key} not null references decisions, primary key (subject, decision_id)
) {clustered};
create table staff (manager_id {key} primary key, record text not null);
create table personal (ref {key} primary key, value text not null);
create table personal_subjects (ref {key} not null, subject {key} not null, primary key (ref, subject)) {clustered};
create index personal_subjects_subject on personal_subjects (subject);
create table sources_seen (
    source {key} not null, partition integer not null, channel text not null, heartbeat_at bigint not null,
    accepted_at bigint not null, rhythm_ms bigint not null, lateness_ms bigint not null,
    enabled boolean not null, primary key (source, partition)
) {hot};
create table lanes (lane {key} primary key, last_n bigint not null, published bigint not null) {hot};
create table outbox (
    lane {key} not null, n bigint not null, topic text not null, key {bytes} not null, value {bytes} not null,
    created_at bigint not null, primary key (lane, n)
) {queue};
create table dead_letters (
    letter_id {key} primary key, at bigint not null, stage text not null, source text not null, reason text not null,
    field text not null, message text not null, event_id text, body {bytes} not null, length bigint not null,
    sha256 text not null, state {key} not null
);
create index dead_letters_state on dead_letters (state, at);
"""
# `folded_subject`: what a fold leaves of a row of `subjects`; many of them travel as one array
OWN_WORDS = {
    "marks_key": (", primary key (shard, n)", ""),
    "marks_shard": ("", "create index marks_shard on marks (shard, n)"),
    "folded_subject": (
        """create type folded_subject as (
            subject text, version bigint, fold_version integer, cuts text, roots text, heads bytea
        )""",
        "",
    ),
}
COMPRESSED = {
    "subjects": ["heads"], "parts": ["body"], "bases": ["body"], "outbox": ["value"], "views": ["body", "facts"],
}  # fmt: skip


def upgrade() -> None:
    create_tables(TABLES, COMPRESSED, OWN_WORDS)
    for shard in range(SHARDS):
        op.execute(f"insert into shards (shard, fence, leased_until) values ({shard}, 0, 0)")  # noqa: S608 - a number
