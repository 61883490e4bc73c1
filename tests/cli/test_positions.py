"""Positions are shown, and moved no further than every event still counts once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.instants import DAY_MS
from schemas.topics import ALERTS, CHANNEL_EVENTS, PROFILE_CHANGES
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.cli import rewinding
from services.cli.beside import opened
from services.cli.positions import backlogs
from services.cli.refusals import Refusal
from services.cli.rewinding import Backlog
from services.clock import SystemClock
from services.embedded.log import EmbeddedLog
from services.log import Message, Position
from services.profile.adapters.sql import SqlProfileStore
from services.settings import read_settings
from services.sql.database import Database
from tests.cli.conftest import Command, in_database, in_log
from tests.clocks import ManualClock

TOPIC = CHANNEL_EVENTS.name


async def three(log: EmbeddedLog) -> None:
    await log.append(TOPIC, [Message(b"", b"%d" % i, partition=0) for i in range(3)])


def stand_at(data: Path, following: int, topic_id: str | None = None, place: tuple[str, int] = (TOPIC, 0)) -> None:
    """The partition was worked up to there."""
    known: list[str] = []

    async def ask(log: EmbeddedLog) -> None:
        known.append(await log.topic_id(place[0]))

    in_log(data, ask)

    async def work(database: Database) -> None:
        keepers = {PROFILE_CHANGES.name: SqlAlertStore, ALERTS.name: SqlDeliveryStore}
        store = keepers[place[0]](database) if place[0] in keepers else SqlProfileStore(database, str)
        await store.set_position(*place, Position(topic_id or known[0], following))

    in_database(data, work)


def first(counterpoint: Command) -> dict[str, object]:
    return dict(counterpoint("positions", "show", "--json").json[0])


def test_positions_say_what_waits(counterpoint: Command, deployment: Path) -> None:
    in_log(deployment, three)
    assert first(counterpoint)["lag"] == 3
    stand_at(deployment, 2)
    shown = first(counterpoint)
    assert (shown["next"], shown["end"], shown["lag"], shown["state"]) == (2, 3, 1, "ok")
    assert TOPIC in counterpoint("positions", "show").out


@pytest.mark.parametrize(
    "command", [("positions", "show"), ("positions", "rewind", "--to-time", "2026-11-22"), ("watch", "--once")]
)
@pytest.mark.parametrize(
    ("setting", "nowhere"),
    [
        ("COUNTERPOINT_LOG", "kafka://127.0.0.1:1"),
        ("COUNTERPOINT_DATABASE", "postgresql://u:a-password@127.0.0.1:1/x"),
    ],
)
def test_a_server_that_is_away_is_told_with_the_setting_that_says_where_it_is(
    counterpoint: Command, deployment: Path, command: tuple[str, ...], setting: str, nowhere: str
) -> None:
    said = counterpoint(*command, env={setting: nowhere, "COUNTERPOINT_SECRET_FILE": str(deployment / "secret")})
    assert said.code == 1
    assert said.err.endswith(f" ({setting} says where it is)\n")
    assert "a-password" not in said.err


async def test_a_worker_that_goes_on_while_it_is_looked_at_is_not_beyond_the_end(deployment: Path) -> None:
    settings = read_settings({"COUNTERPOINT_DATA": str(deployment)})
    async with opened(settings) as beside:

        class Busy(EmbeddedLog):
            """Whenever somebody looks, one more event comes and is worked."""

            async def ends(self, topic: str) -> dict[int, tuple[int, int]]:
                found = dict(await super().ends(topic))
                await self.append(topic, [Message(b"", b"", partition=0)])
                await beside.store.set_position(topic, 0, Position(await self.topic_id(topic), found[0][1] + 1))
                return found

        log = Busy(deployment / "log")
        try:
            assert {one.state for one in await backlogs(log, beside, TOPIC)} == {"ok"}
        finally:
            await log.close()


@pytest.mark.parametrize("topic", [PROFILE_CHANGES.name, ALERTS.name])
def test_what_alerts_and_deliveries_have_worked_is_shown_and_moved_too(
    counterpoint: Command, deployment: Path, topic: str
) -> None:
    async def three_more(log: EmbeddedLog) -> None:
        await log.append(topic, [Message(b"", b"%d" % i, partition=1) for i in range(3)])

    in_log(deployment, three_more)
    stand_at(deployment, 3, place=(topic, 1))
    said = counterpoint("positions", "rewind", "--topic", topic, "--to-offset", "1", "--partition", "1")
    assert said.out == f"{topic}/1: moved from 3 (ok) to 1: 2 events are worked again\n"
    shown = [one for one in counterpoint("positions", "show", "--json").json if one["topic"] == topic]
    assert [(one["next"], one["lag"]) for one in shown[:2]] == [(None, 0), (1, 2)]


def test_a_position_goes_back_to_a_time(counterpoint: Command, deployment: Path) -> None:
    clock = ManualClock(SystemClock().now_ms() - 2 * DAY_MS)
    in_log(deployment, three, clock=clock)
    clock.move_to(clock.now_ms() + DAY_MS)
    in_log(deployment, three, clock=clock)
    stand_at(deployment, 6)
    moment = datetime.fromtimestamp(clock.now_ms() / 1000 - 60, UTC).isoformat()
    said = counterpoint("positions", "rewind", "--to-time", moment)
    assert said.code == 0, said.err
    told = "moved from 6 (ok) to 3: 3 events are worked again"
    assert f"{TOPIC}/0: {told}" in said.out
    stand_at(deployment, 6)
    moved = counterpoint("positions", "rewind", "--to-time", moment, "--partition", "0", "--json").json
    assert moved == [{"topic": TOPIC, "partition": 0, "from": 6, "to": 3, "what": told}]
    assert first(counterpoint)["next"] == 3


def test_a_position_goes_no_further_back_than_the_ledger(counterpoint: Command, deployment: Path) -> None:
    clock = ManualClock(SystemClock().now_ms() - 9 * DAY_MS)
    in_log(deployment, three, clock=clock)
    clock.move_to(SystemClock().now_ms())
    in_log(deployment, three, clock=clock)
    stand_at(deployment, 6)
    for where in (("--to-time", "2001-01-01"), ("--to-offset", "2", "--partition", "0")):
        said = counterpoint("positions", "rewind", *where)
        assert said.code == 1
        assert "further back than the ledger reaches" in said.err
        assert "(offset 3)" in said.err
    assert first(counterpoint)["next"] == 6
    assert counterpoint("positions", "rewind", "--to-offset", "3", "--partition", "0").code == 0
    assert first(counterpoint)["next"] == 3


def test_a_position_does_not_jump_over_events(counterpoint: Command, deployment: Path) -> None:
    in_log(deployment, three)
    stand_at(deployment, 1)
    said = counterpoint("positions", "rewind", "--to-offset", "3", "--partition", "0")
    assert said.code == 1
    assert "2 events ahead of 1" in said.err
    later = counterpoint("positions", "rewind", "--to-time", "2100-01-01", "--partition", "0")
    assert "stays at 1" in later.out
    assert first(counterpoint)["next"] == 1


def test_a_partition_that_nobody_has_worked_yet_begins_at_its_first_record_and_nowhere_else(
    counterpoint: Command, deployment: Path
) -> None:
    in_log(deployment, three)
    said = counterpoint("positions", "rewind", "--to-offset", "2", "--partition", "0")
    assert (said.code, "it was never processed, and 2 records before 2 would never be processed" in said.err) == (
        1,
        True,
    )
    for where in (("--to-offset", "0"), ("--to-time", "2100-01-01")):
        said = counterpoint("positions", "rewind", *where, "--partition", "0")
        assert said.out == f"{TOPIC}/0: never processed so far: processing will begin at 0\n"
    assert (first(counterpoint)["next"], first(counterpoint)["lag"]) == (None, 3)


def test_a_position_of_a_topic_that_was_made_anew_starts_in_the_new_one(
    counterpoint: Command, deployment: Path
) -> None:
    in_log(deployment, three)
    stand_at(deployment, 700, topic_id="the one before")
    assert first(counterpoint)["state"] == "of another topic: this one was made anew"
    assert counterpoint("positions", "rewind", "--to-offset", "0", "--partition", "0").code == 0
    assert (first(counterpoint)["next"], first(counterpoint)["state"]) == (0, "ok")


def test_what_cannot_be_meant_is_refused(counterpoint: Command, deployment: Path) -> None:
    for arguments, code, told in (
        ((), 2, "say either --to-time or --to-offset"),
        (("--to-time", "yesterday"), 2, "--to-time: a time such as"),
        (("--to-offset", "0"), 2, "--to-offset needs --partition"),
        (("--to-offset", "5", "--partition", "0"), 1, "5 is not in the log, which holds 0 to 0"),
        (("--to-offset", "0", "--partition", "99"), 1, "partitions 0 to 7, none numbered 99"),
        (("--to-time", "2026-01-01", "--topic", "letters"), 2, "--topic letters: no positions are kept for it"),
    ):
        said = counterpoint("positions", "rewind", *arguments)
        assert said.code == code
        assert told in said.err


@pytest.mark.parametrize(
    ("stored", "state", "lag"),
    [
        (None, "ok", 7),
        (Position("t", 2), "ok", 7),
        (Position("t", 9), "ok", 0),
        (Position("t", 10), "beyond the end", None),
        (Position("t", 1), "no longer kept", None),
        (Position("former", 5), "of another topic: this one was made anew", None),
    ],
)
def test_it_is_said_why_a_worker_cannot_go_on_from_a_position_and_else_what_waits_behind_it(
    stored: Position | None, state: str, lag: int | None
) -> None:
    backlog = Backlog(topic="events", topic_id="t", partition=0, stored=stored, first=2, end=9)
    assert (backlog.state, backlog.lag) == (state, lag)


def worked(topic: str, stored: int | None) -> Backlog:
    """Of a topic of which retention has dropped the first ten records."""
    position = None if stored is None else Position("t", stored)
    return Backlog(topic=topic, topic_id="t", partition=0, stored=position, first=10, end=50)


def test_events_before_the_ledgers_days_are_not_worked_again_and_what_has_no_ledger_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    monkeypatch.setattr(rewinding, "SystemClock", lambda: ManualClock(int(now.timestamp() * 1000)))
    with pytest.raises(Refusal, match=r"events before 2026-11-15 09:30:00Z \(offset 30\) might count twice"):
        rewinding.checked(worked(TOPIC, 40), 29, {0: 30}, None)
    assert rewinding.checked(worked(TOPIC, 40), 30, {0: 30}, None)[1] == 30
    for topic in (PROFILE_CHANGES.name, ALERTS.name):
        assert rewinding.checked(worked(topic, 40), 10, {0: 30}, None)[1] == 10


def test_it_is_counted_what_a_move_would_leave_out() -> None:
    with pytest.raises(Refusal, match="it was never processed, and 3 records before 13 would never be processed"):
        rewinding.checked(worked(TOPIC, None), 13, {0: 0}, None)
    with pytest.raises(Refusal, match="50 lies 10 events ahead of 40: never to be worked"):
        rewinding.checked(worked(TOPIC, 40), 50, {0: 0}, None)


@pytest.mark.parametrize("target", [9, 51])
def test_a_place_that_the_log_does_not_hold_is_refused_with_those_that_it_holds(target: int) -> None:
    with pytest.raises(Refusal, match=f"{TOPIC}/0: {target} is not in the log, which holds 10 to 50"):
        rewinding.checked(worked(TOPIC, 40), target, {0: 0}, None)


@pytest.mark.parametrize("moment", [0, 1])
def test_from_a_position_that_is_no_longer_kept_it_goes_on_with_all_that_the_log_still_holds(moment: int) -> None:
    """None of it was worked, so none of it can count twice, though it came before the days that a ledger reaches."""
    away = worked(TOPIC, 4)
    assert rewinding.checked(away, 10, {0: 30}, None)[1] == 10
    assert rewinding.checked(away, 50 if moment else 10, {0: 30}, moment)[1] == 10
    told = rewinding.told_of(away, 10)["what"]
    assert told.startswith("moved from 4 (no longer kept) to 10: 40 events wait; 6 records were dropped by the log")


def test_from_a_position_that_is_no_longer_kept_nothing_is_left_out() -> None:
    with pytest.raises(Refusal, match="the log holds 10 to 50, and 3 records before 13 would never be processed"):
        rewinding.checked(worked(TOPIC, 4), 13, {0: 0}, None)
