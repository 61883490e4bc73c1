"""The doctor names what is wrong, and the fix; what does not hold is not a traceback."""

import os
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.codec import encode_event
from schemas.events import ChannelEvent, Money
from schemas.topics import CHANNEL_EVENTS
from services.cli.declared import declared_fold
from services.clock import SystemClock
from services.embedded.files import segment_paths
from services.embedded.log import EmbeddedLog
from services.embedded.segments import connect
from services.log import Message, Position
from services.outbox import OutboxMessage
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.ports.records import Mark, StoredDeadLetter, TimelineRow
from services.sql.database import Database
from tests.cli.conftest import Command, in_database, in_log

NOW = 1_795_320_000_000


def finding(counterpoint: Command, what: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """(exit code, state, words)"""
    said = counterpoint("doctor", "--patience", "0.2", "--json", env=env)
    found = {one["what"]: one for one in said.json}
    return said.code, found[what]["state"], found[what]["told"]


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who stands still is given the time that a busy machine would need."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))


async def one_event(log: EmbeddedLog) -> None:
    await log.append(CHANNEL_EVENTS.name, [Message(b"", b"", partition=0)])


def test_a_deployment_at_rest_is_well(counterpoint: Command, deployment: Path) -> None:
    said = counterpoint("doctor")
    assert said.code == 0
    assert said.out.endswith("nothing is wrong\n")
    assert finding(counterpoint, "workers")[1] == "warning"


def test_no_database_is_wrong(counterpoint: Command, data: Path) -> None:
    code, state, told = finding(counterpoint, "database")
    assert (code, state) == (1, "wrong")
    assert "counterpoint db upgrade" in told


def test_a_damaged_database_or_log_is_named_with_its_fix(counterpoint: Command, deployment: Path) -> None:
    in_log(deployment, one_event)
    (deployment / "log" / "topics.sqlite").write_bytes(b"no database" * 100)
    code, state, told = finding(counterpoint, "log")
    assert (code, state) == (1, "wrong")
    assert "topics.sqlite: file is not a database" in told
    (deployment / "counterpoint.db").write_bytes(b"no database" * 100)
    code, state, told = finding(counterpoint, "database")
    assert (code, state) == (1, "wrong")
    assert "restore a backup" in told


def test_a_log_of_another_release_is_told_in_a_sentence_by_whatever_reads_it(
    counterpoint: Command, deployment: Path
) -> None:
    in_log(deployment, one_event)
    (day,) = segment_paths(deployment / "log")
    with closing(connect(day)) as older:
        older.execute("pragma user_version = 1")
    sentence = f"{day} is of version 1 of the embedded log, and this release reads 2"
    code, state, told = finding(counterpoint, "log")
    assert (code, state) == (1, "wrong")
    assert told.startswith(sentence)
    for command in (["positions", "show"], ["run", "--no-simulator", "--port", "0"]):
        said = counterpoint(*command)
        assert said.code == 1
        assert said.err.startswith(f"error: {sentence}")


def test_servers_that_are_away_are_named_with_their_settings(counterpoint: Command, deployment: Path) -> None:
    kafka = {"COUNTERPOINT_LOG": "kafka://127.0.0.1:1", "COUNTERPOINT_SECRET_FILE": str(deployment / "secret")}
    code, state, told = finding(counterpoint, "log", kafka)
    assert (code, state) == (1, "wrong")
    assert "COUNTERPOINT_LOG" in told
    assert "127.0.0.1:1: nobody listens" in told
    password = {"COUNTERPOINT_DATABASE": "postgresql://u:a-password@127.0.0.1:1/x"}
    said = counterpoint("doctor", "--json", env=password)
    assert (said.code, said.json[-1]["what"], said.json[-1]["state"]) == (1, "database", "wrong")
    assert "a-password" not in said.out + said.err


def test_a_wrong_setting_is_wrong(counterpoint: Command, data: Path) -> None:
    assert finding(counterpoint, "settings", {"COUNTERPOINT_LOG": "rabbit://x"})[:2] == (1, "wrong")


@pytest.mark.parametrize(
    ("days_left", "state", "words"),
    [(-1, "wrong", "only weekends are free"), (30, "warning", "calendar.CN.yaml"), (90, "ok", "until")],
)
def test_a_calendar_without_the_coming_days_is_named_with_its_file(
    counterpoint: Command, deployment: Path, tmp_path: Path, days_left: int, state: str, words: str
) -> None:
    until = date.today() + timedelta(days=days_left)
    (tmp_path / "calendar.CN.yaml").write_text(
        f"name: CN\nknown_until: {until}\nholidays: {{}}\nmake_up_days: []\n", encoding="utf-8"
    )
    code, found, told = finding(counterpoint, "calendar", {"COUNTERPOINT_PROFILE_REFERENCE": str(tmp_path)})
    assert (code, found) == (int(state == "wrong"), state)
    assert words in told


def test_a_mistake_in_the_rates_is_named_with_its_line(counterpoint: Command, deployment: Path, tmp_path: Path) -> None:
    (tmp_path / "rates.yaml").write_text("base: CNY\nrates:\n  USD: {2026-01-01: '7.00', 2026-01-02: 7.01}\n")
    code, state, told = finding(counterpoint, "declarations", {"COUNTERPOINT_PROFILE_REFERENCE": str(tmp_path)})
    assert (code, state) == (1, "wrong")
    assert told.startswith("rates.yaml:3: rates.USD.2026-01-02: Expected `str`, got `float`: mend it")


def test_a_mistake_in_the_banks_own_event_types_is_named(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    (tmp_path / "lockers.yaml").write_text("locker.opened: {meaning: A locker was opened}\n")
    code, state, told = finding(counterpoint, "declarations", {"COUNTERPOINT_EVENT_TYPES": str(tmp_path)})
    assert (code, state) == (1, "wrong")
    place = f"{tmp_path}/lockers.yaml:1"
    assert told.startswith(f"{place}: locker.opened: Object missing required field `channels`: mend it")


def test_an_example_that_ingest_would_refuse_is_named_with_its_field(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    (tmp_path / "lockers.yaml").write_text(
        "locker.opened: {meaning: A locker was opened, channels: [counter], subject: [customer_no], rank: 50,"
        " optional: [opened_on],"
        " example: {identifiers: {customer_no: '10000017'}, attributes: {opened_on: 22.11.2026}}}\n"
    )
    code, state, told = finding(counterpoint, "declarations", {"COUNTERPOINT_EVENT_TYPES": str(tmp_path)})
    assert (code, state) == (1, "wrong")
    place = "lockers.yaml: locker.opened: the example is no event: attributes.opened_on"
    assert told.startswith(f"{place}: a date as YYYY-MM-DD is expected: mend it")


def test_a_series_of_an_event_type_that_nobody_declares_is_named(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    (tmp_path / "series.yaml").write_text("version: 1\nseries: [{name: closed, where: {types: [acount.closed]}}]\n")
    code, state, told = finding(counterpoint, "declarations", {"COUNTERPOINT_PROFILE_CATALOGUE": str(tmp_path)})
    assert (code, state) == (1, "wrong")
    assert told.startswith("series.yaml:2: series.closed.where.types.0: no event type is called acount.closed; did you")


def test_event_types_and_rules_of_the_banks_own_are_told(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    types, rules = tmp_path / "types", tmp_path / "rules"
    types.mkdir()
    rules.mkdir()
    (types / "own.yaml").write_text(
        "locker.opened: {meaning: A locker was opened, channels: [counter], subject: [customer_no], rank: 50,"
        " example: {identifiers: {customer_no: '10000017'}}}\n"
    )
    _, state, told = finding(counterpoint, "declarations", {"COUNTERPOINT_EVENT_TYPES": str(types)})
    assert (state, told.partition("own: ")[2]) == ("ok", "event types add locker.opened")
    (rules / "bank.yaml").write_text("rules: []\n")
    (rules / "desk.yaml").write_text("daily_capacity: 5\n")
    _, state, told = finding(counterpoint, "rule files", {"COUNTERPOINT_ALERTS_CATALOGUE": str(rules)})
    assert (state, told.partition("own: ")[2]) == ("ok", "bank.yaml; desk.yaml replaces daily_capacity")
    (rules / "bank.yaml").write_text("rules:\n  - {id: B1}\n")
    code, state, told = finding(counterpoint, "rule files", {"COUNTERPOINT_ALERTS_CATALOGUE": str(rules)})
    assert (code, state) == (1, "wrong")
    assert told.startswith("bank.yaml:2: B1: Object missing required field")


def test_which_declarations_wait_for_a_start_is_told(counterpoint: Command, deployment: Path) -> None:
    code, state, told = finding(counterpoint, "declarations")
    assert (code, state) == (0, "ok")
    assert told == (
        "reloaded while processes run, except event types, series.yaml and measures.yaml (read at their start); "
        "the bank's own: none"
    )


def test_what_the_bank_adds_to_the_declarations_and_what_it_replaces_is_told(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    (tmp_path / "value.yaml").write_text("by_kind: {person: {thresholds: [{tier: gold, enter: 70, leave: 60}]}}\n")
    (tmp_path / "measures.yaml").write_text(
        "measures: [{name: logins_7d, series: logins, window: 7d, aggregate: count},"
        " {name: logins_30d, series: logins, window: 31d, aggregate: count}]\n"
    )
    (tmp_path / "series.yaml").write_text("version: 1\nseries: [{name: pages, where: {types: [page.viewed]}}]\n")
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "competitors.yaml").write_text("- {title: A new bank, bank: NEWB}\n")
    env = {"COUNTERPOINT_PROFILE_CATALOGUE": str(tmp_path), "COUNTERPOINT_PROFILE_REFERENCE": str(tables)}
    _, state, told = finding(counterpoint, "declarations", env)
    assert state == "ok"
    assert told.partition("own: ")[2] == (
        "measures.yaml adds measures.logins_7d; measures.yaml replaces measures.logins_30d; "
        "series.yaml adds series.pages; "
        "value.yaml replaces by_kind.person.thresholds.gold; competitors.yaml"
    )


def test_a_shape_of_another_release_is_wrong(counterpoint: Command, deployment: Path) -> None:
    with sqlite3.connect(deployment / "counterpoint.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    code, state, told = finding(counterpoint, "database")
    assert (code, state) == (1, "wrong")
    assert "newer release" in told


def test_events_that_nobody_works_on_are_wrong(counterpoint: Command, deployment: Path) -> None:
    in_log(deployment, one_event)
    code, state, told = finding(counterpoint, "positions")
    assert (code, state) == (1, "wrong")
    assert "channel-events/0: nothing moves although 1 event waits: start a worker" in told


def test_a_partition_that_stands_still_is_wrong(counterpoint: Command, deployment: Path) -> None:
    in_log(deployment, one_event)

    async def lease(database: Database) -> None:
        await SqlProfileStore(database, str).lease("worker-1", 60_000)

    in_database(deployment, lease)
    code, state, told = finding(counterpoint, "positions")
    assert (code, state) == (1, "wrong")
    assert "channel-events/0: nothing moves although 1 event waits" in told


def test_a_position_outside_the_log_is_wrong(counterpoint: Command, deployment: Path) -> None:
    async def work(database: Database) -> None:
        await SqlProfileStore(database, str).set_position(CHANNEL_EVENTS.name, 2, Position("another", 5))

    in_database(deployment, work)
    code, state, told = finding(counterpoint, "positions")
    assert (code, state) == (1, "wrong")
    assert "channel-events/2: of another topic" in told
    assert "counterpoint positions rewind" in told


def test_workers_are_told_by_what_they_do(counterpoint: Command, deployment: Path) -> None:
    assert finding(counterpoint, "workers")[1:] == (
        "warning", "no worker refreshes: start `counterpoint run`, or `counterpoint profile` on Kafka"
    )  # fmt: skip

    async def lease(database: Database) -> None:
        await SqlProfileStore(database, str).lease("worker-1", 60_000)

    in_database(deployment, lease)
    assert finding(counterpoint, "workers")[1:] == (
        "ok", "1 that refresh; those that update, evaluate and deliver: see positions"
    )  # fmt: skip


def test_a_topic_that_somebody_deleted_is_wrong(counterpoint: Command, deployment: Path) -> None:
    async def delete(log: EmbeddedLog) -> None:
        await log.delete_topic("alerts")

    in_log(deployment, delete)
    assert finding(counterpoint, "topics")[:2] == (1, "wrong")


def test_what_waits_for_a_worker_that_is_not_there_is_wrong(counterpoint: Command, deployment: Path) -> None:
    async def work(database: Database) -> None:
        async with SqlProfileStore(database, str).updating() as tx:
            await tx.mark([Mark("party:1", 0)])
            await tx.send({"dead-letters": [OutboxMessage("dead-letters", b"", b"")]}, 1_000)
            letter = StoredDeadLetter("l1", 5, "accept", "core", "unknown_type", "type", "m", None, b"{}", 2, "ab")
            await tx.keep_dead_letters([letter])

    in_database(deployment, work)
    assert finding(counterpoint, "marks")[:2] == (1, "wrong")
    assert finding(counterpoint, "outbox")[:2] == (1, "wrong")
    assert finding(counterpoint, "dead letters")[1] == "warning"


def test_customers_whose_refresh_fails_are_counted(counterpoint: Command, deployment: Path) -> None:
    async def fail(database: Database) -> None:
        async with SqlProfileStore(database, str).refreshing() as tx:
            await tx.set_aside([Mark("party:1", 5), Mark("party:2", 5), Mark("party:2", 6)])

    assert finding(counterpoint, "refresh")[1] == "ok"
    in_database(deployment, fail)
    code, state, told = finding(counterpoint, "refresh")
    assert (code, state) == (1, "wrong")
    assert told.startswith("2 customers are set aside")


def test_a_silent_source_is_named(counterpoint: Command, deployment: Path) -> None:
    counterpoint("sources", "set", "atm", "channel=atm", "rhythm_ms=1")
    assert finding(counterpoint, "sources")[1] == "warning"
    assert "without a key: atm; `counterpoint keys create`" in finding(counterpoint, "sources")[2]
    counterpoint("keys", "create", "atm", "--channel", "atm")
    told = finding(counterpoint, "sources")
    assert told[1:] == ("warning", "silent beyond their rhythm: atm; ask those who run them")


def test_a_source_that_got_its_key_within_its_rhythm_is_not_silent_yet(counterpoint: Command, deployment: Path) -> None:
    counterpoint("sources", "set", "atm", "channel=atm")
    counterpoint("keys", "create", "atm", "--channel", "atm")
    assert finding(counterpoint, "sources")[1:] == ("ok", "none of 1 is silent beyond its rhythm")


def test_a_source_whose_clock_was_ahead_is_named(counterpoint: Command, deployment: Path) -> None:
    async def vouch(database: Database) -> None:
        day = SystemClock().now_ms() + 86_400_000
        async with SqlProfileStore(database, str).updating() as tx:
            await tx.note_sources([SourceSeen("core", "corebank", partition, day, 0) for partition in (0, 1)])

    in_database(deployment, vouch)
    code, state, told = finding(counterpoint, "sources")
    assert (code, state) == (0, "warning")
    assert told.startswith("core says that it is complete up to 20")
    assert "its clock is or was ahead" in told


def test_redis_that_is_away_loses_nothing(counterpoint: Command, deployment: Path) -> None:
    code, state, told = finding(counterpoint, "redis", {"COUNTERPOINT_REDIS": f"unix://{deployment}/no.sock"})
    assert (code, state) == (0, "warning")
    assert "nothing is lost" in told


def test_a_redis_url_that_cannot_be_used_is_named(counterpoint: Command, deployment: Path) -> None:
    code, state, told = finding(counterpoint, "redis", {"COUNTERPOINT_REDIS": "redis://:hunter2@cache/0?colour=red"})
    assert (code, state) == (1, "wrong")
    assert "colour" in told
    assert "hunter2" not in told


def test_states_of_a_newer_fold_are_wrong_beside_a_release_that_cannot_go_on_with_them(
    counterpoint: Command, deployment: Path
) -> None:
    own = declared_fold().version

    async def work(database: Database) -> None:
        async with SqlProfileStore(database, str).updating() as tx:
            (row,) = (await tx.lock_subjects({"account:1": frozenset()})).values()
            row.fold_version = own + 1
            await tx.save_subjects([row])

    in_database(deployment, work)
    code, state, told = finding(counterpoint, "states")
    assert (code, state) == (1, "wrong")
    assert f"(fold {own + 1}, this one has {own})" in told


def test_of_very_many_states_of_an_older_fold_it_is_said_that_they_are_many(
    counterpoint: Command, deployment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(database: Database) -> None:
        async with SqlProfileStore(database, str).updating() as tx:
            stored = await tx.lock_subjects(dict.fromkeys(("account:1", "account:2", "account:3"), frozenset()))
            for row in stored.values():
                row.fold_version = 1
            await tx.save_subjects(list(stored.values()))

    in_database(deployment, work)
    assert finding(counterpoint, "states")[2].startswith("3 are of an older fold")
    monkeypatch.setattr("services.cli.doctor.checks.COUNTED", 2)
    assert finding(counterpoint, "states")[2].startswith("more than 2 are of an older fold")


def test_states_of_an_older_fold_are_named_and_rebuilt(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("rebuild").out.startswith("nothing to do: no state is of an older fold than this release's")
    event = ChannelEvent(
        id="e1", type="card.paid", source="core", channel="pos", subject="account:1", occurred_at=NOW, accepted_at=NOW,
        identifiers={"account_no": "1"}, of_record=True, amount=Money(1250, "CNY"), direction="debit",
    )  # fmt: skip

    async def work(database: Database) -> None:
        async with SqlProfileStore(database, str).updating() as tx:
            stored = await tx.lock_subjects({"account:1": frozenset()})
            stored["account:1"].fold_version = 1
            await tx.save_subjects(list(stored.values()))
            await tx.append_timeline(
                [TimelineRow("account:1", NOW, -1, b"k" * 16, event.type, event.channel, NOW, encode_event(event))]
            )

    in_database(deployment, work)
    assert finding(counterpoint, "states")[1] == "warning"
    said = counterpoint("rebuild", "--rate", "1000")
    assert said.code == 0, said.err
    assert said.out.startswith("1 subject is folded anew, by fold version ")
    assert finding(counterpoint, "states")[1] == "ok"
    assert finding(counterpoint, "marks")[1] == "wrong"  # a worker has to refresh the customer now
