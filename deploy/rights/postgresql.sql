-- The least rights with which each service works, a role for each: psql -v ON_ERROR_STOP=1 -f postgresql.sql DATABASE
-- After `counterpoint db upgrade`, each time, by the role that ran it or a superuser: that role owns the tables, and
-- stays the one of the command line. How the three others prove themselves (password, certificate) is the bank's.
-- The tests of the stores run with these rights.
begin;
do $$
declare
    service text;
    ledger text;
begin
    foreach service in array array['counterpoint_ingest', 'counterpoint_profile', 'counterpoint_alerts'] loop
        if not exists (select from pg_roles where rolname = service) then
            execute format('create role %I login', service);
        end if;
        execute format('grant usage on schema %I to %I', current_schema, service);
    end loop;
    -- a ledger table is made and dropped each day
    execute format('grant create on schema %I to counterpoint_profile', current_schema);
    for ledger in select tablename from pg_tables where schemaname = current_schema and tablename ~ '^ledger_[0-9]' loop
        execute format('alter table %I owner to counterpoint_profile', ledger);
    end loop;
    -- the command line reads and writes what they do
    execute format('grant counterpoint_profile to %I', (
        select tableowner from pg_tables where schemaname = current_schema and tablename = 'alembic_version'));
end $$;

grant select on alembic_version, deployment to counterpoint_ingest, counterpoint_profile, counterpoint_alerts;
grant insert on deployment to counterpoint_ingest, counterpoint_profile, counterpoint_alerts;

-- api_keys, sources: made by `keys` and `sources`
grant select on api_keys, sources to counterpoint_ingest;

-- users: made by `users`
grant select on users to counterpoint_profile, counterpoint_alerts;

grant select, insert, update, delete on
    positions, ledgers, subjects, parts, timeline, bases, links, memberships, marks, shards, workers, views, placements,
    due, clusters, decisions, decision_subjects, staff, personal, personal_subjects, sources_seen, lanes, outbox,
    dead_letters
to counterpoint_profile;
-- how far marks have been numbered
grant select on sequence marks_n_seq to counterpoint_profile;
-- whether the database came back from a backup; which facts the rules ask
grant select on alert_positions, delivery_positions, alerts, rule_switches to counterpoint_profile;

-- what an alert is explained by
grant select on
    positions, subjects, parts, timeline, bases, links, memberships, marks, shards, views, placements, due, clusters,
    decisions, decision_subjects, staff, personal, personal_subjects, sources_seen, outbox
to counterpoint_alerts;
grant select, insert, update, delete on
    alert_positions, alert_customers, alerts, alert_rules, rule_switches, rule_notices, rule_editions, alert_lanes,
    alert_outbox, delivery_positions, delivery_alerts, delivery_leases, deliveries
to counterpoint_alerts;
commit;
