"""Computes the facts: flat typed names that a rule or a screen may ask for. A fact at rest (0, false or "") is left
out; an unknown one is in `missing`; one that no registered source could tell is in `not_covered`."""

from collections.abc import Mapping
from functools import lru_cache

from schemas.catalogue import CHANNELS
from schemas.changes import Fact
from services.profile.domain.customers.customer import ANY_CHANNEL, Completeness, sources_of
from services.profile.domain.customers.summary import Facts
from services.profile.domain.facts.cards import card_facts
from services.profile.domain.facts.catalogue import BOOKS, CARDS, DIGITAL, FACTS
from services.profile.domain.facts.crossing import crossing_facts, regular_party_facts
from services.profile.domain.facts.due import BEHIND_MS
from services.profile.domain.facts.holdings import holding_facts
from services.profile.domain.facts.journey import journey_facts
from services.profile.domain.facts.life import life_facts
from services.profile.domain.facts.money import (
    SALARY_CHANNELS,
    asset_facts,
    balance_facts,
    income_facts,
    usual_facts,
)
from services.profile.domain.facts.picture import Picture
from services.profile.domain.facts.potential import potential_facts
from services.profile.domain.facts.relation import (
    case_facts,
    conduct_facts,
    contact_facts,
    person_facts,
    standing_facts,
)

_GROUPS = (
    standing_facts, balance_facts, crossing_facts, regular_party_facts, usual_facts, income_facts, holding_facts,
    card_facts, asset_facts, potential_facts, conduct_facts, contact_facts, journey_facts, case_facts, person_facts,
    life_facts,
)  # fmt: skip
_ABSENCES = {
    "salary_missed": SALARY_CHANNELS,
    "salary_days_overdue": SALARY_CHANNELS,
    "days_since_last_login": DIGITAL,
    "days_since_customer_debit": BOOKS,
    "card_payments_30d": CARDS,
}
"""Facts of what did not happen: with a source that is silent, or not complete to within `BEHIND_MS`, they are
unknown. So a past that is still being sent, or a file that is late for everybody, raises no alarm."""
_ALL_COVERED: frozenset[str] = frozenset()


def facts(seen: Picture) -> Facts:
    values: dict[str, Fact] = {}
    missing: list[str] = []
    for group in _GROUPS:
        for name, value in group(seen).items():
            if value is None:
                missing.append(name)
            elif value:
                # Numbers travel as doubles: the rule language does not add integers to them.
                values[name] = float(value) if value.__class__ is int else value
    _add_measured(seen, values, missing)
    behind, uncovered = seen.now - BEHIND_MS, _uncovered(seen)
    missing += [name for name, until in _heard_until(seen.customer.completeness).items() if until < behind]
    for name in (*missing, *uncovered):
        values.pop(name, None)  # a measure may be counted and unknown
    unheard = [one for one, until in _channels_until(seen.customer.completeness).items() if until < behind]
    return Facts(values, sorted(set(missing) - uncovered) if missing else [], sorted(uncovered), unheard)


def _add_measured(seen: Picture, values: dict[str, Fact], missing: list[str]) -> None:
    unit = seen.reference.home_unit
    for name, measured in seen.measured.items():
        if measured.amount:
            values[name] = measured.amount / unit if measured.is_money else float(measured.amount)
        if measured.unconverted:
            missing.append(name)


@lru_cache(64)
def _heard_until(completeness: Completeness) -> dict[str, int]:
    """Fact of an absence → until when all its sources are complete (ms); 0 if one of them is silent."""
    return _complete(completeness, _ABSENCES)


@lru_cache(64)
def _channels_until(completeness: Completeness) -> dict[str, int]:
    """The same for each channel that a source speaks for."""
    return _complete(completeness, {channel: (channel,) for channel in sorted(CHANNELS)})


def _complete(completeness: Completeness, asked: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    sources = {name: sources_of(completeness, channels) for name, channels in asked.items()}
    until = completeness.until | dict.fromkeys(completeness.silent, 0)
    return {name: min(until.get(one, 0) for one in of) for name, of in sources.items() if of}


def _uncovered(seen: Picture) -> frozenset[str]:
    """The facts that nobody could tell. A channel is covered if a source of it is registered, or the customer was seen
    on it."""
    known = _spoken_for(seen.customer.completeness)
    if not known or ANY_CHANNEL in known:
        return _ALL_COVERED
    return _without(known.union(*seen.customer.state.head.activity.values()))


@lru_cache(64)
def _spoken_for(completeness: Completeness) -> frozenset[str]:
    return frozenset(completeness.channels.values())


@lru_cache(1024)
def _without(channels: frozenset[str]) -> frozenset[str]:
    """The facts that none of these channels could tell."""
    return frozenset(
        name for name, declared in FACTS.items() if declared.channels and channels.isdisjoint(declared.channels)
    )
