"""An alert worker as it runs: from the topic of profile changes to screens and to the topic of alerts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from schemas.changes import ProfileChange
from schemas.codec import encode_change
from schemas.topics import ALERTS, PROFILE_CHANGES
from services.access import User
from services.alerts import stream
from services.alerts.attend import Attend
from services.alerts.domain.lifecycle import StepRequest
from services.alerts.domain.notices import notice
from services.alerts.domain.routing import Staff
from services.alerts.evaluate import Evaluate
from services.alerts.hand_over import HandOver
from services.alerts.learn import Learn
from services.alerts.retract import Retract
from services.alerts.screens import INBOX
from services.alerts.stream import Worker
from services.embedded.log import EmbeddedLog
from services.failures import Unavailable
from services.log import Batch, Message, Record
from services.metrics import Metrics
from services.progress import Progress
from tests.alerts.told import CEL, NOON, moment, statement
from tests.alerts.web.branch import LEAVING, Branch
from tests.patience import HANG_S


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = EmbeddedLog(tmp_path)
    await log.ensure_topics([PROFILE_CHANGES, ALERTS])
    yield log
    await log.close()


class Listening:
    """A worker, and what screens hear of it."""

    def __init__(self, log: EmbeddedLog) -> None:
        self.branch, self.log, self.metrics = Branch(), log, Metrics()
        self.left_was_asked = asyncio.Event()
        store, current, clock = self.branch.store, self.branch.current, self.branch.clock
        self.worker = Worker(
            log, store, Evaluate(store, CEL, current), Attend(store, current), Retract(store, current),
            Learn(store, current), HandOver(store, current, self._left), self._reload, self.branch.notifications,
            self.metrics, clock, Progress(log, store, PROFILE_CHANGES.name, self.metrics, clock.now_ms),
            asyncio.Event(), asyncio.Event(),
        )  # fmt: skip

    async def _left(self) -> frozenset[str]:
        self.left_was_asked.set()
        return self.branch.staff.left

    async def _reload(self) -> None:
        pass

    def counted(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"counterpoint_{name}", labels)

    async def tell(self, *changes: ProfileChange | bytes) -> None:
        values = [one if isinstance(one, bytes) else encode_change(one) for one in changes]
        await self.log.append(PROFILE_CHANGES.name, [Message(b"c1", value) for value in values])

    @asynccontextmanager
    async def working(self) -> AsyncIterator[AsyncIterator[bytes]]:
        async with self.branch.notifications.subscribe(INBOX) as told, asyncio.timeout(HANG_S):
            work = asyncio.ensure_future(stream.run(self.worker))
            try:
                yield told
            finally:
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work

    async def hears(self, work: Awaitable[None]) -> list[str]:
        """What screens are told of while this is done."""
        async with self.branch.notifications.subscribe(INBOX) as told:
            await work
            await self.branch.notifications.publish([(INBOX, b"end")])
            heard: list[str] = []
            async for one in told:
                if one == b"end":
                    break
                heard.append(one.decode())
        return heard


@pytest.fixture
def listening(log: EmbeddedLog) -> Listening:
    return Listening(log)


async def test_what_somebody_has_in_hand_who_left_moves_as_soon_as_a_statement_names_who_answers_now(
    listening: Listening,
) -> None:
    branch = listening.branch
    await listening.tell(statement(1, acting_owner="M-1", **LEAVING))
    async with listening.working() as told:
        alert_id = (await anext(told)).decode()
        await branch.act.on(
            alert_id, StepRequest("claim"), User(user_id="li", name="Li", role="manager", manager_id="M-1")
        )
        await listening.left_was_asked.wait()
        branch.staff = Staff(frozenset({"M-2"}), left=frozenset({"M-1"}))
        await listening.tell(statement(2, acting_owner="M-2", **LEAVING))
        while (alert := await branch.store.alert(alert_id)) is None or alert.owner != "M-2":
            await anext(told)
    assert (alert.state, alert.history[-1].note) == ("claimed", "from M-1, who has left, to M-2")


async def test_only_a_statement_with_somebody_else_who_answers_calls_for_handing_over(listening: Listening) -> None:
    for version, owner in enumerate(("", "M-1", "M-1"), 1):
        await stream.evaluate(listening.worker, [batch(version, statement(version, acting_owner=owner))])
        assert not listening.worker.handed_on.is_set()
    await stream.evaluate(listening.worker, [batch(4, statement(4, acting_owner=""))])
    assert listening.worker.handed_on.is_set()


def batch(start: int, *changes: ProfileChange) -> Batch:
    records = [
        Record(start + place, one.changed_at, one.customer_id.encode(), encode_change(one))
        for place, one in enumerate(changes)
    ]
    return Batch(PROFILE_CHANGES.name, "topic", 0, start, start + len(changes), records)


async def test_what_the_profile_says_becomes_an_alert_that_screens_and_the_topic_are_told_of(
    listening: Listening,
) -> None:
    await listening.tell(statement(1, **LEAVING))
    async with listening.working() as told:
        alert_id = (await anext(told)).decode()
        while not sum(end for _, end in (await listening.log.ends(ALERTS.name)).values()):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        while listening.counted("lag", topic=PROFILE_CHANGES.name, partition="0") is None:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    alert = await listening.branch.store.alert(alert_id)
    assert alert is not None
    assert (alert.customer_id, alert.state) == ("c1", "routed")


async def test_a_statement_that_cannot_be_read_is_left_out_and_the_next_one_is_evaluated(listening: Listening) -> None:
    await listening.tell(statement(1, **LEAVING), b"no statement", statement(1, "c2", **LEAVING))
    async with listening.working() as told:
        await anext(told)
        await anext(told)
    assert listening.counted("statements_parked_total") == 1
    positions = await listening.branch.store.positions(PROFILE_CHANGES.name, range(PROFILE_CHANGES.partitions))
    assert sum(one.next for one in positions.values()) == 3


async def test_what_a_batch_came_to_is_counted(listening: Listening) -> None:
    worker, branch = listening.worker, listening.branch
    await stream.evaluate(worker, [batch(0, statement(1, **LEAVING), statement(1, "c2"), statement(2, "c2"))])
    assert listening.counted("statements_evaluated_total") == 2
    assert listening.counted("statements_skipped_total") == 1
    assert listening.counted("rules_fired_total", how="raised") == 1
    assert listening.counted("alert_steps_total", kind="retention", action="route") == 1
    assert listening.counted("batch_events_sum", topic=PROFILE_CHANGES.name) == 3
    waited_s = (branch.clock.now_ms() - statement(1).changed_at) / 1000
    assert listening.counted("change_to_alert_seconds_sum") == waited_s


async def test_what_could_not_be_judged_is_counted_by_kind_of_rule_and_by_what_was_lacking(
    listening: Listening,
) -> None:
    lacks = ["salary_missed"]
    late = [statement(version, missing=lacks, has_salary=True) for version in (1, 2)]
    nobody_tells = statement(1, "c2", not_covered=lacks, has_salary=True)
    await stream.evaluate(listening.worker, [batch(0, late[0], nobody_tells)])
    await stream.evaluate(listening.worker, [batch(2, late[1])])
    assert listening.counted("rules_unknown_total", kind="retention", why="missing") == 2
    assert listening.counted("rules_unknown_total", kind="retention", why="not_covered") == 1
    assert listening.counted("rules_unknown_total", kind="guard", why="missing") == 0


async def test_how_long_an_alert_took_is_measured_when_it_comes_up_and_never_again(listening: Listening) -> None:
    await stream.evaluate(listening.worker, [batch(0, statement(1, **LEAVING))])
    await stream.evaluate(listening.worker, [batch(1, statement(2, moments=[moment("x", NOON)], **LEAVING))])
    await stream.evaluate(listening.worker, [batch(2, statement(3))])
    assert listening.counted("change_to_alert_seconds_count") == 1


async def test_an_alert_that_ends_in_the_batch_that_opened_it_has_come_up_for_nobody_and_is_not_measured(
    listening: Listening,
) -> None:
    opened, gone = statement(1, moments=[moment("x", NOON)]), statement(2, kind="gone")
    await stream.evaluate(listening.worker, [batch(0, opened, gone)])
    assert listening.counted("alert_steps_total", kind="retention", action="withdraw") == 1
    assert listening.counted("change_to_alert_seconds_count") == 0


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def once(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        await work()

    async def at_once(event: asyncio.Event, seconds: float) -> None:
        pass

    monkeypatch.setattr(stream, "every", once)
    monkeypatch.setattr(stream, "woken", at_once)


class Finds:
    """A use case that finds these alerts changed, or writes these notices, at a time."""

    def __init__(self, *found: Any) -> None:
        self.found, self.at = found, list[int]()

    async def apply(self, now: int) -> Sequence[Any]:
        self.at.append(now)
        return self.found


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(("step", "by"), [
    (stream.attending, "attend"), (stream.handing_over, "hand_over"), (stream.reloading, "retract"),
])  # fmt: skip
async def test_what_changes_without_a_statement_is_told_to_screens_and_wakes_who_publishes(
    listening: Listening, step: Callable[[Worker], Awaitable[None]], by: str
) -> None:
    alert = await listening.branch.leaving()
    nothing: dict[str, Any] = {by: Finds()}
    assert await listening.hears(step(listening.worker._replace(**nothing))) == []
    assert not listening.worker.written.is_set()
    finds: dict[str, Any] = {by: Finds(alert)}
    assert await listening.hears(step(listening.worker._replace(**finds))) == [alert.alert_id]
    assert listening.worker.written.is_set()
    assert finds[by].at == [listening.branch.clock.now_ms()]


@pytest.mark.usefixtures("once")
async def test_the_rules_are_read_anew_before_what_is_gone_of_them_is_taken_back(listening: Listening) -> None:
    order: list[str] = []

    class Retracts(Finds):
        async def apply(self, now: int) -> Sequence[Any]:
            order.append("retract")
            return await super().apply(now)

    async def reload() -> None:
        order.append("reload")

    await stream.reloading(listening.worker._replace(reload=reload, retract=cast(Retract, Retracts())))
    assert order == ["reload", "retract"]


@pytest.mark.usefixtures("once")
async def test_that_a_rule_speaks_as_usual_no_longer_and_again_is_logged(listening: Listening) -> None:
    rules = listening.branch.current.rules
    told = Finds(*(notice(rules, "R4", "throttled", NOON, began=began) for began in (True, False)))
    with capture_logs() as logs:
        await stream.learning(listening.worker._replace(learn=cast(Learn, told)))
    assert [(one["rule"], one["matter"], one["state"]) for one in logs] == [
        ("R4", "throttled", "began"), ("R4", "throttled", "ended"),
    ]  # fmt: skip


async def test_it_is_ready_while_the_log_is_away_and_not_where_it_has_given_up_or_the_database_is_away(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await listening.worker.check() is None

    async def away(topic: str, partitions: Sequence[int]) -> None:
        raise Unavailable("it is shutting down")

    monkeypatch.setattr(listening.branch.store, "positions", away)
    assert await listening.worker.check() == "the database is away"
    place = (PROFILE_CHANGES.name, 3)
    monkeypatch.setattr(listening.log, "stopped", lambda: {place: "the topic is another one"})
    told = await listening.worker.check()
    assert told is not None
    assert told.startswith("profile-changes/3 stopped: the topic is another one")
