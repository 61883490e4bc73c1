"""What a deployment declares, as far as commands need it: how events fold, whom limits stop, what rules may ask."""

import os
from collections.abc import Mapping
from functools import partial

from schemas.catalogue import load_catalogue
from schemas.moments import MOMENTS
from services.alerts.domain.compiled import Known
from services.alerts.domain.wording import Amounts
from services.metrics import Metrics
from services.profile.adapters.policies import Declarations, files_of, load_declarations
from services.profile.domain.facts.catalogue import catalogue
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.personal import reference
from services.profile.domain.states.series import Counting
from services.profile.reload import CurrentPolicy, Reload
from services.profile.settings import read_choices
from services.settings import read_settings

AMOUNT = "moment.amount_home"
"""The one field of moments in the home currency; `moment.amount` is in `moment.currency`."""


def declared_fold() -> Fold:
    """Raises `PolicyError`, `SettingsError`, `CatalogueError`."""
    choices = read_choices(os.environ)
    series = load_declarations(choices.catalogue, choices.reference).series
    return Fold(load_catalogue(read_settings(os.environ).event_types), Counting(series), series.version)


def declarations(environment: Mapping[str, str], secret: bytes) -> Declarations:
    """All of it, names of competitors and lenders as this deployment refers to them. Raises `PolicyError`,
    `SettingsError`."""
    choices = read_choices(environment)
    return load_declarations(choices.catalogue, choices.reference, partial(reference, secret=secret))


def reloading(
    environment: Mapping[str, str], secret: bytes, begun: Declarations, policy: CurrentPolicy, metrics: Metrics
) -> Reload:
    """Keeps up the policy of a process that is not the profile's. Raises `PolicyError`, `SettingsError`."""
    choices = read_choices(environment)
    files = files_of(choices.catalogue, choices.reference)
    return Reload(files, partial(reference, secret=secret), begun, policy, metrics)


def known_of(declarations: Declarations) -> Known:
    """What rules may ask in this deployment."""
    policy = declarations.policy
    facts = tuple(catalogue(policy.measures))
    amounts = Amounts(frozenset({AMOUNT, *(fact.name for fact in facts if fact.unit == "money")}),
                      policy.reference.home_currency)  # fmt: skip
    return Known({fact.name: fact.type for fact in facts}, {name: one.fields for name, one in MOMENTS.items()}, amounts)


def known_to_rules() -> Known:
    """Raises `PolicyError`, `SettingsError`."""
    choices = read_choices(os.environ)
    return known_of(load_declarations(choices.catalogue, choices.reference))
