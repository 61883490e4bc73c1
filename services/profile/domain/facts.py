"""Flat typed names that a rule or a screen may ask. Absent is 0, false or ""; unknown is `missing`; what no registered
source could tell is `not_covered`."""

from schemas.changes import Fact
from services.profile.domain.fact_catalogue import BOOKS, DIGITAL, FACTS, FactDeclared
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
ANY_CHANNEL = "*"


def facts(seen: Picture) -> Facts:
    told: dict[str, Fact | None] = {}
    for group in _GROUPS:
        told |= group(seen)
    for name in _unheard(seen):
        told[name] = None
    uncovered = _uncovered(seen)
    values: dict[str, Fact] = {}
    missing: list[str] = []
    for name, declared in FACTS.items():
        if name in uncovered:
            continue
        value = told.get(name, _NOTHING[declared.type])
        if value is None:
            missing.append(name)
        else:
            values[name] = _typed(value)
    _add_measures(seen, values, missing)
    return Facts(values, sorted(missing), sorted(uncovered))


def _typed(value: Fact) -> Fact:
    """Numbers travel as doubles: the rule language does not add integers to them."""
    return float(value) if value.__class__ is int else value


def _add_measures(seen: Picture, values: dict[str, Fact], missing: list[str]) -> None:
    for name, measured in seen.measured.items():
        if measured.unconverted:
            missing.append(name)
        else:
            amount = seen.major(measured.amount) if measured.is_money else float(measured.amount)
            values[name] = amount or 0.0


def _unheard(seen: Picture) -> list[str]:
    silent = frozenset(seen.whole.completeness.silent)
    return [name for name, channels in _ABSENCES.items() if silent.intersection(seen.sources_of(channels))]


def _uncovered(seen: Picture) -> frozenset[str]:
    """A channel counts as covered when a source of it is known, or when the customer was seen on it."""
    known = {*seen.whole.completeness.channels.values()}
    if not known or ANY_CHANNEL in known:
        return frozenset()
    known |= {channel for used in seen.whole.state.head.activity.values() for channel in used}
    return frozenset(name for name, declared in FACTS.items() if not is_covered(declared, known))


def is_covered(declared: FactDeclared, channels: set[str]) -> bool:
    return not declared.channels or not channels.isdisjoint(declared.channels)
