"""Composition root of the alert service: the only place where it meets the profile, whose facts its rules ask."""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from schemas.catalogue import load_catalogue
from schemas.changes import ProfileChange
from services.access import SqlUserStore
from services.alerts.app import Alerts, FromProfile, open_alerts
from services.alerts.delivery.app import open_delivery
from services.alerts.domain.alert import Evidence
from services.alerts.domain.routing import Staff
from services.alerts.settings import read_choices
from services.alerts.web import Stated
from services.cli.declared import declarations, known_of, reloading
from services.cli.set_back import refuse_if_set_back, while_it_stays
from services.clock import SystemClock
from services.deployment import (
    listen,
    open_door,
    open_plumbing,
    settings_of_one,
    side_by_side,
    take_up,
    until_stopped,
    when_up,
)  # fmt: skip
from services.pace import every
from services.plumbing import Plumbing
from services.profile.adapters.policies import Declarations
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from services.profile.domain.value.policy import RosterEntry
from services.profile.names import names
from services.profile.ports.records import StoredView
from services.profile.read import Read
from services.profile.reload import LOOK_S, CurrentPolicy
from services.profile.statement import stored_facts
from services.profile.trace import Seen, Trace
from services.secret import load_naming
from services.web.asgi import operations, routes
from services.web.openapi import openapi_route
from services.web.staff import mounted, openapi_document


def from_profile(declared: Declarations, policy: CurrentPolicy, read: Read) -> FromProfile:
    async def stated(customer_id: str) -> Stated | None:
        found = await read.by_id_with_facts(customer_id)
        if len(found) != 1:
            return None
        change = statement(found[0].view, await read.merged(found[0].view.lead))
        return Stated(change, found[0].up_to_date)

    fold = Fold(read.catalogue, Counting(declared.series), declared.series.version)
    trace = Trace(read, fold, policy)

    async def events_of(customer_id: str, said: Evidence) -> bytes:
        return await trace.events(Seen(customer_id, said.seen_at, said.values, said.event_id, said.occurred_at))

    async def staff() -> Staff:
        async with read.reader.customers() as rows:
            told, owners = await rows.staff(), await rows.owners()
        return staff_told(policy().portfolio.roster, told, owners)

    async def left() -> frozenset[str]:
        async with read.reader.customers() as rows:
            return left_of(await rows.staff())

    return FromProfile(known_of(declared), policy.is_working_day, stated, staff, left, events_of, partial(names, read))


def staff_told(roster: Sequence[RosterEntry], records: Mapping[str, Mapping[str, Any]], owners: Iterable[str]) -> Staff:
    """`records`: what events say of managers; `owners`: those who have customers."""
    left = left_of(records)
    named = {
        str(record[name]) for record in records.values() for name in ("successor_id", "delegate_id") if record.get(name)
    }
    managers = named.union(records, owners, (one.manager_id for one in roster))
    return Staff(frozenset(managers - left), frozenset(branch for one in roster for branch in one.branches), left)


def left_of(records: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(manager for manager, record in records.items() if record.get("status") == "left")


def statement(view: StoredView, merged: list[str]) -> ProfileChange:
    """What the profile would publish of a customer as it stands."""
    facts = stored_facts(view)
    return ProfileChange(
        customer_id=view.customer_id, version=view.version, kind=view.kind, changed_at=view.changed_at,
        facts=facts.values, missing=facts.missing, not_covered=facts.not_covered, unheard=facts.unheard,
        moments=facts.moments, merged=merged,
    )  # fmt: skip


async def opened_alerts(
    closing: contextlib.AsyncExitStack,
    plumbing: Plumbing,
    profile: FromProfile,
    environment: Mapping[str, str],
    *,
    delivers: bool = True,
) -> Alerts:
    """With what delivers them beside the inbox; `closing` ends it. Of a past nobody is told.

    Raises `Unavailable`, `PolicyError`, `Refusal` where the database was set back."""
    choices = read_choices(environment)
    alerts = await open_alerts(plumbing, SqlUserStore(plumbing.database), choices, profile)
    await refuse_if_set_back(plumbing.log, plumbing.database)
    name = f"{os.uname().nodename}-{os.getpid()}"
    delivery = open_delivery(plumbing, choices.catalogue, environment, name, delivers=delivers)
    closing.push_async_callback(delivery.close)
    both = partial(side_by_side, alerts.work, delivery.work)
    return alerts._replace(work=lambda: while_it_stays(both, plumbing.database))


async def run(environment: Mapping[str, str]) -> None:
    """One of several processes on Kafka and PostgreSQL; works until SIGINT or SIGTERM. Raises `SettingsError`,
    `WrongSchema`, `OtherSecret`, `OtherClock`, `PolicyError`."""
    settings = settings_of_one(environment)
    naming = load_naming(settings)
    declared = declarations(environment, naming.secret)
    async with contextlib.AsyncExitStack() as closing:
        plumbing = open_plumbing(closing, settings, SystemClock())
        await when_up(lambda: take_up(plumbing.database, naming.secret))
        store = SqlProfileStore(plumbing.database, partial(customer_id, secret=naming.secret))
        policy = CurrentPolicy(declared.policy)
        reload = reloading(environment, naming.secret, declared, policy, plumbing.metrics)
        read = Read(store, load_catalogue(settings.event_types), naming, policy, plumbing.clock.now_ms)
        known = from_profile(declared, policy, read)
        alerts = await when_up(lambda: opened_alerts(closing, plumbing, known, environment))
        health = operations(alerts.checks, plumbing.metrics.exposed)
        app = routes({**health, **openapi_route(openapi_document(alerts.app))}, mounted(alerts.app))
        stop = listen()
        await open_door(closing, settings, plumbing.screens, app)
        await until_stopped(stop, lambda: side_by_side(alerts.work, lambda: every(LOOK_S, reload.look)))
