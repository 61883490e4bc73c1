"""Flat typed names that a rule or a screen may ask. Absent is 0, false or ""; unknown is `missing`; what no registered
source could tell is `not_covered`."""

from functools import lru_cache

from schemas.changes import Fact
from services.profile.domain.fact_catalogue import BOOKS, DIGITAL, FACTS
from services.profile.domain.holding_facts import holding_facts
from services.profile.domain.money_facts import (
    SALARY_CHANNELS,
    asset_facts,
    balance_facts,
    income_facts,
    leaving_facts,
    usual_facts,
)
from services.profile.domain.picture import Picture
from services.profile.domain.relation_facts import (
    case_facts,
    conduct_facts,
    contact_facts,
    person_facts,
    standing_facts,
)
from services.profile.domain.summary import Facts

_GROUPS = (
    standing_facts, balance_facts, leaving_facts, usual_facts, income_facts, holding_facts, asset_facts,
    conduct_facts, contact_facts, case_facts, person_facts,
)  # fmt: skip
_ABSENCES = {
    "salary_missed": SALARY_CHANNELS,
    "salary_days_overdue": SALARY_CHANNELS,
    "days_since_last_login": DIGITAL,
    "days_since_customer_debit": BOOKS,
}
"""Facts that grow while nothing is heard: with a silent source they are unknown."""
_NOTHING: dict[str, Fact] = {"number": 0.0, "boolean": False, "string": ""}
_NOTHING_TOLD: dict[str, Fact] = {name: _NOTHING[declared.type] for name, declared in FACTS.items()}
_ALL_COVERED: frozenset[str] = frozenset()
ANY_CHANNEL = "*"


def facts(seen: Picture) -> Facts:
    told: dict[str, Fact | None] = {}
    for group in _GROUPS:
        told |= group(seen)
    for name in _unheard(seen):
        told[name] = None
    uncovered = _uncovered(seen)
    missing = {name for name, value in told.items() if value is None}
    missing.update(name for name, measured in seen.measured.items() if measured.unconverted)
    # Numbers travel as doubles: the rule language does not add integers to them.
    known = {
        name: float(value) if value.__class__ is int else value for name, value in told.items() if value is not None
    }
    values = {**_NOTHING_TOLD, **known, **_of_measures(seen)}
    for name in missing | uncovered:
        values.pop(name, None)
    return Facts(values, sorted(missing - uncovered), sorted(uncovered))


def _of_measures(seen: Picture) -> dict[str, Fact]:
    values: dict[str, Fact] = dict.fromkeys(seen.measured, 0.0)
    for name, measured in seen.measured.items():
        if measured.amount:
            amount = seen.major(measured.amount) if measured.is_money else float(measured.amount)
            values[name] = amount or 0.0
    return values


def _unheard(seen: Picture) -> list[str]:
    silent = frozenset(seen.whole.completeness.silent)
    return [name for name, channels in _ABSENCES.items() if silent.intersection(seen.sources_of(channels))]


def _uncovered(seen: Picture) -> frozenset[str]:
    """A channel counts as covered when a source of it is known, or when the customer was seen on it."""
    known = frozenset(seen.whole.completeness.channels.values())
    if not known or ANY_CHANNEL in known:
        return _ALL_COVERED
    return _without(known.union(*seen.whole.state.head.activity.values()))


@lru_cache(1024)
def _without(channels: frozenset[str]) -> frozenset[str]:
    """Facts of which none of these channels could tell."""
    return frozenset(
        name for name, declared in FACTS.items() if declared.channels and channels.isdisjoint(declared.channels)
    )
