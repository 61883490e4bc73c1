"""Puts the profile together from values handed in: a worker, and the routes that read what it wrote."""

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

from litestar import Litestar

from schemas.catalogue import EventType
from schemas.identifiers import SUBJECT_LIMITS
from schemas.naming import Naming
from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS, TOPICS
from services.access import Access, UserStore
from services.clock import SystemClock
from services.failures import Unavailable
from services.plumbing import Plumbing
from services.profile.adapters.policies import Declarations, declarations_of, files_of
from services.profile.adapters.sql import SqlProfileStore
from services.profile.decide import Decide
from services.profile.domain.facts.catalogue import catalogue as facts_catalogue
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.personal import reference
from services.profile.domain.states.series import Counting
from services.profile.giving_way import GivingWay
from services.profile.read import Read
from services.profile.refresh import Refresh
from services.profile.reload import CurrentPolicy, Reload
from services.profile.resting import Resting
from services.profile.settings import Choices
from services.profile.sources import Freshness
from services.profile.stream import run
from services.profile.update import Update
from services.profile.upkeep import Upkeep
from services.profile.web import Backend, profile_app
from services.profile.worker import Worker
from services.progress import Progress
from services.sql.database import Database
from services.web.asgi import Check


class Profile(NamedTuple):
    """`app` reads and decides; `work` runs until cancelled; `checks` by name are for `/health/ready`. `policy`
    is to be told what those who read its changes ask of facts: until then, every move of one is told."""

    app: Litestar
    work: Callable[[], Awaitable[None]]
    checks: Mapping[str, Check]
    worker: Worker
    read: Read
    declarations: Declarations
    policy: CurrentPolicy


async def reachable(database: Database) -> str | None:
    """What is wrong in words, or None."""
    try:
        await database.ping()
    except Unavailable:
        return "the database is away"
    return None


async def open_profile(
    plumbing: Plumbing,
    users: UserStore,
    naming: Naming,
    catalogue: Mapping[str, EventType],
    choices: Choices,
    *,
    of_past: bool = False,
) -> Profile:
    """`of_past`: customers do not rest, and nothing is aged or dropped: days go by in seconds.

    Raises `Unavailable`; PolicyError where a bank's own declarations contradict themselves."""
    log, database, screens, clock, metrics = plumbing
    await log.ensure_topics(TOPICS)
    files, refer = files_of(choices.catalogue, choices.reference), partial(reference, secret=naming.secret)
    declarations = declarations_of(files.texts(), refer, catalogue)
    policy = CurrentPolicy(declarations.policy)
    fold = Fold(catalogue, Counting(declarations.series), declarations.series.version)
    freshness = Freshness(choices.patience(len(await log.ends(CHANNEL_EVENTS.name))))
    store = SqlProfileStore(database, alias_of := partial(customer_id, secret=naming.secret))
    worker = Worker(
        name=f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(3)}",
        log=log,
        store=store,
        update=Update(store, fold, catalogue, naming.secret, SUBJECT_LIMITS),
        refresh=Refresh(store, policy, lambda: freshness.now, alias_of, Resting(0, 0) if of_past else Resting()),
        upkeep=None if of_past else Upkeep(store, log, fold, choices.timeline_months, choices.dead_letter_months),
        notifications=screens,
        metrics=metrics,
        clock=clock,
        freshness=freshness,
        reload=Reload(files, refer, declarations, policy, metrics),
        giving_way=GivingWay(),
        progress=Progress(log, store, CHANNEL_EVENTS.name, metrics, SystemClock().now_ms, [DEAD_LETTERS.name]),
        marked=asyncio.Event(),
        written=asyncio.Event(),
        may_refresh=_set(),
        leases={},
    )
    decide, access = Decide(store, fold, SUBJECT_LIMITS), Access(users, time.monotonic, SystemClock().now_ms)
    facts = {one.name: one for one in facts_catalogue(declarations.policy.measures)}
    read = Read(store, catalogue, naming, policy, clock.now_ms, lambda: freshness.now)
    app = profile_app(Backend(read, decide, access, screens, clock, SUBJECT_LIMITS, facts, freshness.patience))
    checks = {"profile": worker.progress.check if "update" in choices.steps else lambda: reachable(database)}
    return Profile(app, partial(run, worker, choices.steps), checks, worker, read, declarations, policy)


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
