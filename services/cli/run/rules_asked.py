"""Composition root: the profile hears what the rules ask of its facts, so that it tells of a day only where one of them
could judge otherwise."""

from collections.abc import Awaitable, Callable, Mapping

from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.asking import asked_of
from services.alerts.reload import Reload
from services.alerts.settings import read_choices
from services.alerts.stream import RELOAD_S
from services.cli.declared import known_of
from services.declared_files import directories
from services.deployment import side_by_side
from services.pace import every
from services.profile.app import Profile
from services.sql.database import Database


async def hearing_rules(
    profile: Profile, database: Database, environment: Mapping[str, str]
) -> Callable[[], Awaitable[None]]:
    """The profile's work, while it is told of changed rules as soon as the alert service loads them. Raises
    `Unavailable`; `PolicyError` where the bank's directory is missing."""
    files = directories(PRODUCT, read_choices(environment).catalogue)
    reload = Reload(files, known_of(profile.declarations), SqlAlertStore(database), Cel())

    async def hear() -> None:
        loaded = await reload.load()
        if loaded is not None:
            profile.policy.ask(asked_of(loaded.rule_set))

    await hear()
    return lambda: side_by_side(profile.work, lambda: every(RELOAD_S, hear))
