"""Puts the alert service together from values handed in: a worker, and the routes of the inbox."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import NamedTuple

from litestar import Litestar

from schemas.topics import PROFILE_CHANGES, TOPICS
from services.access import Access, UserStore
from services.alerts.act import Act
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.attend import Attend
from services.alerts.current import Current
from services.alerts.domain.alert import Evidence
from services.alerts.domain.compiled import Known
from services.alerts.domain.routing import Staff
from services.alerts.evaluate import Evaluate
from services.alerts.hand_over import HandOver
from services.alerts.learn import LEARNED_BY, Learn, heed
from services.alerts.ports import AlertStore
from services.alerts.reload import Reload
from services.alerts.retract import Retract
from services.alerts.settings import Choices
from services.alerts.staff import staff_of
from services.alerts.stream import Worker, run
from services.alerts.web import Backend, Stated, alerts_app
from services.clock import SystemClock
from services.declared_files import directories
from services.plumbing import Plumbing
from services.progress import Progress
from services.web.asgi import Check


class FromProfile(NamedTuple):
    """What only the profile knows: the facts and moments that there are; which days (since 1970, in the desk's zone)
    are working days; a customer as it stands now (None: no such id); managers named by events or roster, and, without
    a look at all customers, those who have left; the events behind a piece of evidence (a JSON object); and what
    customers are called, by their ids."""

    known: Known
    works: Callable[[int], bool]
    stated: Callable[[str], Awaitable[Stated | None]]
    staff: Callable[[], Awaitable[Staff]]
    left: Callable[[], Awaitable[frozenset[str]]]
    events_of: Callable[[str, Evidence], Awaitable[bytes]]
    names: Callable[[Collection[str]], Awaitable[Mapping[str, str]]]


class Alerts(NamedTuple):
    """`app` shows and works the inbox; `work` runs until cancelled."""

    app: Litestar
    work: Callable[[], Awaitable[None]]
    checks: Mapping[str, Check]
    worker: Worker


async def open_alerts(plumbing: Plumbing, users: UserStore, choices: Choices, profile: FromProfile) -> Alerts:
    """Raises `Unavailable`; `PolicyError` where the bank's directory is missing. A mistake in a rule leaves it out."""
    events, database, screens, clock, metrics = plumbing
    await events.ensure_topics(TOPICS)
    store, expressions = SqlAlertStore(database), Cel()
    reload = Reload(directories(PRODUCT, choices.catalogue), profile.known, store, expressions)
    current = await _current(reload, store, profile.works, clock.now_ms())
    worker = Worker(
        log=events,
        store=store,
        evaluate=Evaluate(store, expressions, current, clock),
        attend=Attend(store, current),
        retract=Retract(store, current),
        learn=Learn(store, current),
        hand_over=HandOver(store, current, profile.left),
        reload=lambda: reload.into(current, clock.now_ms()),
        notifications=screens,
        metrics=metrics,
        clock=clock,
        progress=Progress(events, store, PROFILE_CHANGES.name, metrics, SystemClock().now_ms),
        written=asyncio.Event(),
        handed_on=asyncio.Event(),
    )
    act = Act(store, current, clock, lambda: staff_of(store, users, current.terms.desk, profile.staff))
    backend = Backend(
        store, act, current, expressions, Access(users, time.monotonic, SystemClock().now_ms), screens, clock,
        profile.stated, profile.events_of, profile.names,
    )  # fmt: skip
    return Alerts(alerts_app(backend), lambda: run(worker), {"alerts": worker.check}, worker)


async def _current(reload: Reload, store: AlertStore, works: Callable[[int], bool], now: int) -> Current:
    """The rules as they are found at the start, with what was learned of them."""
    loaded = await reload.load()
    assert loaded is not None  # noqa: S101 - the first reading always finds something new
    current = Current(loaded.rule_set, loaded.desk, works)
    if not loaded.mistakes:
        current.written_down(await reload.write_down(loaded, now))
    current.learn(await store.learned(LEARNED_BY))
    await heed(store, current)
    return current
