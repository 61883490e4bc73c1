"""One customer summed up: the view, the facts, the moments, and when to look again. Reads top to bottom."""

from typing import Any, NamedTuple

from schemas.instants import DAY_MS
from services.profile.domain.customers.assets import Assets, assets_of
from services.profile.domain.customers.balances import courses_of
from services.profile.domain.customers.behaviour import Behaviour, learn
from services.profile.domain.customers.buckets import Buckets
from services.profile.domain.customers.customer import Customer, Decided
from services.profile.domain.customers.measures import Measured, counted, shown
from services.profile.domain.customers.summary import Shown, Summary
from services.profile.domain.customers.view import Basics, basics_of, body_of, name_reference
from services.profile.domain.facts.due import due_times
from services.profile.domain.facts.facts import facts
from services.profile.domain.facts.moments import moments
from services.profile.domain.facts.picture import Picture
from services.profile.domain.facts.potential import note_potential
from services.profile.domain.rendering import instant_or_none, money, record
from services.profile.domain.value.owners import as_assigned
from services.profile.domain.value.placing import Placing, place
from services.profile.domain.value.policy import Policy
from services.profile.domain.value.value import Judged, JudgedTerm, judge


def summarise(customer: Customer, policy: Policy, now: int, placing: Placing | None = place) -> Summary:
    """The same customer, policy and time give the same summary. Without `placing`, tier and owner stay as decided."""
    known, reference = _known(customer, policy, now, placing), policy.reference
    today = now // DAY_MS
    picture = Picture(
        customer=customer, basics=known.basics, buckets=known.buckets, measured=known.measured,
        courses=courses_of(customer, reference, today), assets=known.assets, behaviour=known.behaviour,
        judged=known.judged, decided=known.decided, reference=reference,
        top_potential=policy.top_potential(customer.kind), asked=policy.asked,
        now=now, today=today, bank_day=reference.day_of(now),
    )  # fmt: skip
    kind, body, decided, name_ref = _shown(known, reference.home_currency)
    found = facts(picture)
    return Summary(
        kind=kind, body=body, facts=found, moments=moments(picture),
        due=due_times(picture, found.values, found.missing), decided=decided, name_ref=name_ref,
    )  # fmt: skip


def show(customer: Customer, policy: Policy, now: int) -> Shown:
    """The part of the summary that a view shows, tier and owner as last decided. It is half the work of a summary."""
    return _shown(_known(customer, policy, now, placing=None), policy.reference.home_currency)


_Owner = dict[str, Any] | None


class _Known(NamedTuple):
    """Intermediate results that both the view and the facts are made from."""

    basics: Basics
    buckets: Buckets
    measured: dict[str, Measured]
    assets: Assets
    behaviour: Behaviour
    judged: Judged
    owner: _Owner
    decided: Decided


def _known(customer: Customer, policy: Policy, now: int, placing: Placing | None) -> _Known:
    reference = policy.reference
    basics, buckets = basics_of(customer, now), Buckets(customer.state)
    measured = counted(policy.measures, buckets, reference, now)
    assets = assets_of(customer, reference, now)
    behaviour = learn(customer, reference, now)
    judged = judge(customer, assets, behaviour, policy, now)
    decided = customer.decided
    if placing is not None:
        decided = note_potential(judged, placing(customer, judged, assets, policy, now), now)
    owner = as_assigned(customer, decided, policy, now)
    return _Known(basics, buckets, measured, assets, behaviour, judged, owner, decided)


def _shown(known: _Known, currency: str) -> Shown:
    body = body_of(known.basics, currency)
    body["tier"] = known.decided.tier
    body["measures"] = shown(known.measured, currency)
    body["behaviour"] = record(known.behaviour, currency)
    body["assets"] = record(known.assets, currency)
    body["value"] = _value(known.judged, known.assets, known.decided)
    body["owner"] = _owner_shown(known.owner)
    return Shown(known.basics.customer.kind, body, known.decided, name_reference(known.basics))


def _value(judged: Judged, assets: Assets, decided: Decided) -> dict[str, Any]:
    """How the score came about, term by term."""
    return {
        "score": judged.score,
        "tier": decided.tier,
        "tier_since": instant_or_none(decided.tier_since or None),
        "candidate_tier": decided.candidate_tier,
        "dimensions": [
            {
                "name": dimension.name,
                "weight": dimension.weight,
                "points": dimension.points,
                "terms": [_term(term, assets.currency) for term in dimension.terms],
            }
            for dimension in judged.dimensions
        ],
    }


def _term(term: JudgedTerm, currency: str) -> dict[str, Any]:
    measured: Any = term.measured
    if term.unit == "money" and term.measured is not None:
        measured = money(term.measured, currency)
    return {"measure": term.measure, "measured": measured, "points": term.points, "weight": term.weight}


def _owner_shown(owner: _Owner) -> _Owner:
    """Times are milliseconds in a decision, and text in the view."""
    if owner is None:
        return None
    delegate, handovers = owner["delegate"], owner["handovers"]
    return {
        **owner,
        "since": instant_or_none(owner["since"]),
        "delegate": delegate and {
            **delegate, "from": instant_or_none(delegate["from"]), "until": instant_or_none(delegate["until"]),
        },
        "handovers": [{**one, "at": instant_or_none(one["at"])} for one in handovers],
    }  # fmt: skip
