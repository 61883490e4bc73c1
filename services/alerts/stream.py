"""TOPOLOGY: what runs in an alert worker, from left to right.

profile-changes → evaluate → alerts, outbox → publish → alerts (topic)
                     ↑ rules       ↑ attend: time, room
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from schemas.topics import PROFILE_CHANGES
from services import metrics as measure
from services.alerts.attend import Attend
from services.alerts.domain.alert import Alert
from services.alerts.evaluate import Evaluate
from services.alerts.hand_over import HandOver
from services.alerts.learn import Learn
from services.alerts.ports import AlertStore
from services.alerts.retract import Retract
from services.alerts.screens import told
from services.attempts import Attempts
from services.clock import Clock
from services.failures import Unavailable
from services.group_commit import GroupCommit
from services.log import Batch, EventLog
from services.metrics import Metrics
from services.notifications import Notifications
from services.pace import every, woken
from services.progress import Progress
from services.publishing import Publisher, publish

GROUP = "counterpoint-alerts"
ATTEND_S, RELOAD_S, LEARN_S, HAND_OVER_S = 1.0, 2.0, 30.0, 300.0
HANDED_ON_TOGETHER_S = 1.0
"""Who leaves has many customers, and each has a statement of its own."""
STATEMENTS_TOGETHER = 500
OPENED_AND_ROUTED = 2
"""Steps of an alert that this statement has opened. Others were told before."""
log = structlog.get_logger(__name__)


class Worker(NamedTuple):
    """`reload` reads the rules again where their files or switches have changed. `handed_on`: set when somebody else
    answers for a customer now."""

    log: EventLog
    store: AlertStore
    evaluate: Evaluate
    attend: Attend
    retract: Retract
    learn: Learn
    hand_over: HandOver
    reload: Callable[[], Awaitable[None]]
    notifications: Notifications
    metrics: Metrics
    clock: Clock
    progress: Progress
    written: asyncio.Event
    handed_on: asyncio.Event

    async def check(self) -> str | None:
        """What is wrong in words, or None. While the log is away the inbox can be worked all the same."""
        if told := self.progress.given_up():
            return told
        try:
            await self.store.positions(PROFILE_CHANGES.name, [0])
        except Unavailable:
            return "the database is away"
        return None


async def run(worker: Worker) -> None:
    """Works until cancelled; then the batch in hand is finished."""
    async with asyncio.TaskGroup() as group:
        for step in (consuming, progressing, attending, publishing, reloading, learning, handing_over):
            group.create_task(step(worker), name=step.__name__)


async def consuming(worker: Worker) -> None:
    """profile-changes → evaluate, several partitions in one transaction."""
    evaluating = GroupCommit(partial(evaluate, worker), STATEMENTS_TOGETHER)

    async def park(batch: Batch, error: BaseException) -> None:
        # a statement is whole: the customer's next one says all that this one said
        async with worker.store.working() as tx:
            await tx.advance([batch.move])
        worker.metrics.add(measure.STATEMENTS_PARKED, 1)

    handler = Attempts(evaluating, park, worker.metrics)
    await worker.log.consume([PROFILE_CHANGES.name], GROUP, worker.store, handler)


async def progressing(worker: Worker) -> None:
    """Lag of the partitions, and which of them have stopped."""
    await worker.progress.keep_looking()


async def evaluate(worker: Worker, batches: Sequence[Batch]) -> None:
    started = asyncio.get_running_loop().time()
    done = await worker.evaluate.apply(batches)
    metrics, now = worker.metrics, worker.clock.now_ms()
    metrics.observe(measure.BATCH_DURATION, asyncio.get_running_loop().time() - started, PROFILE_CHANGES.name)
    metrics.add(measure.STATEMENTS_EVALUATED, done.statements)
    metrics.add(measure.STATEMENTS_SKIPPED, done.skipped)
    metrics.add(measure.RULES_FIRED, done.fired, "raised")
    metrics.add(measure.RULES_FIRED, done.suppressed, "suppressed")
    for (kind, lack), count in done.unknown.items():
        metrics.add(measure.RULES_UNKNOWN, count, kind, lack)
    metrics.observe(measure.BATCH_SIZE, sum(len(batch.records) for batch in batches), PROFILE_CHANGES.name)
    for alert in done.changed:
        if len(alert.history) <= OPENED_AND_ROUTED and alert.is_open:
            metrics.observe(measure.CHANGE_TO_ALERT, max(0, now - alert.opened_at) / 1000)
    if done.handed_on:
        worker.handed_on.set()
    await tell(worker, done.changed)


async def tell(worker: Worker, alerts: Sequence[Alert]) -> None:
    if not alerts:
        return
    worker.written.set()
    for alert in alerts:
        worker.metrics.add(measure.ALERT_STEPS, 1, alert.kind, alert.history[-1].action if alert.history else "")
    await worker.notifications.publish([message for alert in alerts for message in told(alert)])


async def attending(worker: Worker) -> None:
    """time → reminders, escalations, room."""
    await every(ATTEND_S, lambda: attend(worker))


async def attend(worker: Worker) -> None:
    await _done(worker, worker.attend.apply)


async def handing_over(worker: Worker) -> None:
    """alerts of managers who have left → whoever answers now. Of a customer whom somebody else answered for already
    no statement tells that they left."""

    async def hand_over() -> None:
        worker.handed_on.clear()
        await _done(worker, worker.hand_over.apply)
        await woken(worker.handed_on, HAND_OVER_S)

    await every(HANDED_ON_TOGETHER_S, hand_over)


async def _done(worker: Worker, apply: Callable[[int], Awaitable[list[Alert]]]) -> None:
    await tell(worker, await apply(worker.clock.now_ms()))


async def publishing(worker: Worker) -> None:
    """outbox → alerts. Any worker may publish any lane; compare-and-set decides between two."""
    publisher = Publisher(worker.store, worker.log, worker.metrics, worker.clock, worker.written)
    await publish(publisher, lambda lane: True)


async def reloading(worker: Worker) -> None:
    """rule files, switches → the current rules; alerts of rules that are gone are taken back."""

    async def reload() -> None:
        await worker.reload()
        await _done(worker, worker.retract.apply)

    await every(RELOAD_S, reload)


async def learning(worker: Worker) -> None:
    """outcomes → precision, throttling, notices."""

    async def learn() -> None:
        for one in await worker.learn.apply(worker.clock.now_ms()):
            state = "began" if one.began else "ended"
            log.warning("rule does not speak as usual", rule=one.rule, matter=one.matter, state=state, actor=one.actor)

    await every(LEARN_S, learn)
