"""Composition root of the alert service: the only place where it meets the profile, whose facts its rules ask."""

import contextlib
from collections.abc import Mapping
from functools import partial

import msgspec

from schemas.catalogue import load_catalogue
from schemas.changes import Fact, Moment, ProfileChange
from services.access import SqlUserStore
from services.alerts.app import FromProfile, open_alerts
from services.alerts.settings import read_choices
from services.cli.declared import known_of
from services.clock import SystemClock
from services.deployment import calm_collector, open_log, open_screens, open_tables, until_told, when_up
from services.logs import configure_logging
from services.metrics import CONTENT_TYPE, Metrics
from services.migrations import upgrade
from services.profile.adapters.policies import Declarations, load_declarations
from services.profile.adapters.sql import SqlProfileStore
from services.profile.app import aliases
from services.profile.domain.personal import reference
from services.profile.ports import StoredView
from services.profile.read import Read
from services.profile.settings import read_choices as read_profile_choices
from services.settings import load_secret, read_settings
from services.staff_app import mounted
from services.web import operations, routes, serve


class _Told(msgspec.Struct):
    """A view's facts as refresh wrote them."""

    values: dict[str, Fact] = {}
    missing: list[str] = []
    not_covered: list[str] = []
    moments: list[Moment] = []


_told = msgspec.json.Decoder(_Told).decode


def from_profile(declarations: Declarations, read: Read) -> FromProfile:
    async def statement_of(customer_id: str) -> ProfileChange | None:
        found = await read.behind(customer_id)
        return statement(found[0].view) if len(found) == 1 else None

    return FromProfile(known_of(declarations), declarations.policy.reference.is_working_day, statement_of)


def statement(view: StoredView) -> ProfileChange:
    """What the profile would publish of a customer as it stands."""
    told = _told(view.facts)
    return ProfileChange(
        customer_id=view.customer_id, version=view.version, kind=view.kind, changed_at=view.changed_at,
        facts=told.values, missing=told.missing, not_covered=told.not_covered, moments=told.moments,
    )  # fmt: skip


async def run(environment: Mapping[str, str]) -> None:
    """One of several processes on Kafka and PostgreSQL; works until SIGINT or SIGTERM. Raises `SettingsError`,
    `WrongSchema`, `PolicyError`."""
    settings = read_settings(environment)
    configure_logging(settings.log_level, settings.log_format)
    clock, metrics, secret = SystemClock(), Metrics(), load_secret(settings)
    choices = read_profile_choices(environment)
    declarations = load_declarations(choices.catalogue, choices.reference, partial(reference, secret=secret))
    async with contextlib.AsyncExitStack() as closing:
        log = open_log(settings, clock)
        closing.push_async_callback(log.close)
        database = open_tables(settings)
        closing.push_async_callback(database.close)
        await when_up(lambda: upgrade(database))
        screens = open_screens(settings)
        closing.push_async_callback(screens.close)
        store = SqlProfileStore(database, aliases(secret))
        read = Read(store, load_catalogue(), secret, lambda: declarations.policy, clock.now_ms)
        users, own = SqlUserStore(database), read_choices(environment)
        alerts = await when_up(
            lambda: open_alerts(log, database, screens, users, clock, metrics, own, from_profile(declarations, read))
        )
        health = operations(alerts.checks, lambda: (metrics.render(), CONTENT_TYPE))
        server = await serve(routes(health, mounted(alerts.app)), settings.host, settings.port)
        closing.push_async_callback(server.stop)
        closing.push_async_callback(screens.close)  # first of all: a live stream ends when its notifications do
        calm_collector()
        await until_told(alerts.work)
