"""Moments: notable events with a judgement of what happened, how large it was for this customer, and where money
went."""

from collections.abc import Iterator, Mapping

from schemas.changes import Fact, Moment
from schemas.instants import DAY_MS
from schemas.moments import MOMENTS, window_days
from schemas.money import EXPONENTS
from services.profile.domain.customers.rhythm import Spread
from services.profile.domain.facts.picture import Picture
from services.profile.domain.facts.relation import score_percent
from services.profile.domain.reference.tables import PartyKey, parse_party
from services.profile.domain.states.personal import is_reference
from services.profile.domain.states.state import Candidate
from services.profile.domain.value.policy import TIERS

_NOT_TOLD = frozenset({"minor", "before_minor", "party", "description", "original_id"})
_UNTOLD: Mapping[str, Mapping[str, Fact]] = {
    kind: {name: "" if type_ == "string" else False for name, type_ in declared.fields.items() if type_ != "number"}
    for kind, declared in MOMENTS.items()
}
"""A rule asks for them without asking whether they are there."""
_NO_FIELDS: Mapping[str, Fact] = {}
_COMES_IN = ("large_credit", "income")
_FRACTIONS = frozenset(
    (kind, name) for kind, declared in MOMENTS.items() for name, type_ in declared.fields.items() if type_ == "number"
)
"""Numbers that a state may hold as text."""


def moments(seen: Picture) -> list[Moment]:
    """Every moment still within its window, oldest first."""
    found = [*_of_events(seen), *_of_decisions(seen)]
    return sorted(found, key=lambda moment: (moment.occurred_at, moment.moment_id))


def _of_events(seen: Picture) -> Iterator[Moment]:
    for kind, candidates in seen.customer.state.head.latest.items():
        since = seen.now - window_days(kind) * DAY_MS
        for candidate in candidates:
            if candidate.at > since and candidate.stands:
                yield Moment(
                    moment_id=f"{kind}:{candidate.at}:{candidate.event_id}",
                    kind=kind,
                    occurred_at=candidate.at,
                    event_id=candidate.event_id,
                    values=_judged(seen, kind, candidate),
                )


def _judged(seen: Picture, kind: str, candidate: Candidate) -> dict[str, Fact]:
    kept = candidate.values
    values: dict[str, Fact] = {**_UNTOLD.get(kind, _NO_FIELDS)}
    for name, value in kept.items():
        if name not in _NOT_TOLD and not (isinstance(value, str) and is_reference(value)):
            values[name] = float(value) if value.__class__ is int or (kind, name) in _FRACTIONS else value
    if "minor" in kept:
        values |= _amount(seen, kind, candidate)
    if kept.get("party"):
        values |= _party(seen, str(kept["party"]), str(kept.get("party_kind", "")), candidate.at)
    if kind == "feedback" and "score" in kept:
        values["score_percent"] = score_percent(kept)
    return values


def _amount(seen: Picture, kind: str, candidate: Candidate) -> dict[str, Fact]:
    """`amount` in its own currency, without what was taken back, `amount_home` converted; shares in percent."""
    kept, minor, currency = candidate.values, candidate.minor, candidate.values["currency"]
    home = seen.reference.home_minor(minor, currency, seen.reference.day_of(candidate.at))
    values: dict[str, Fact] = {"amount": minor / 10 ** EXPONENTS.get(currency, 2)}
    if home is not None:
        values["amount_home"] = seen.major(home) or 0.0
    before = kept.get("before_minor")
    if before is not None:
        values["percent_of_balance"] = minor * 100 / before if before > 0 else 0.0
    usual = _usual_month(seen, kind)
    if home is not None and usual is not None and usual.median_minor > 0:
        values["percent_of_usual_month"] = home * 100 / usual.median_minor
    salary = seen.behaviour.salary
    if kind == "income" and salary is not None and salary.currency == currency and salary.median_minor > 0:
        values["percent_of_usual_salary"] = minor * 100 / salary.median_minor
    return values


def _usual_month(seen: Picture, kind: str) -> Spread | None:
    """Of money that goes the same way; a kind that a bank has declared itself does not say which."""
    if kind not in MOMENTS:
        return None
    return seen.behaviour.inflow if kind in _COMES_IN else seen.behaviour.outflow


def _party(seen: Picture, party: str, word: str, at: int) -> dict[str, Fact]:
    """The other side of the movement, as known on that day. `word`: what the source calls it."""
    day, parsed = seen.reference.day_of(at), parse_party(party)
    is_here, kind = seen.reference.is_own_bank(parsed.bank), seen.reference.party_kind(word)
    elsewhere = None if is_here else kind
    competitor = seen.reference.is_competitor(party, day, elsewhere)
    lender = seen.reference.is_lender(party, day, elsewhere)
    return {
        "own_account": party in seen.behaviour.own_parties or kind == "own" or _is_held(seen, parsed),
        "competitor": competitor,
        "lender": lender,
        "external": not is_here and (bool(parsed.bank) or competitor or lender or elsewhere == "own"),
        "party_class": seen.reference.classify(party, day),
    }


def _is_held(seen: Picture, party: PartyKey) -> bool:
    """A deposit that matures pays out from its contract."""
    if seen.reference.is_other_bank(party.bank):
        return False
    return any(f"{kind}:{party.account_no}" in seen.customer.subjects for kind in ("account", "contract"))


def _of_decisions(seen: Picture) -> Iterator[Moment]:
    decided = seen.decided
    if decided.former_owner is not None and decided.owner != decided.former_owner:
        values: dict[str, Fact] = {"from": decided.former_owner, "to": decided.owner or ""}
        yield from _decision(seen, "owner_changed", decided.owner_since, values)
    former = str(decided.notes.get("former_tier", ""))
    if former and decided.tier is not None:
        fell = TIERS.index(decided.tier) < TIERS.index(former)
        yield from _decision(
            seen, "tier_changed", decided.tier_since, {"from": former, "to": decided.tier, "fell": fell}
        )
    band = str(decided.notes.get("former_band", ""))
    if band:
        order = ("below", "near", "above")
        now = str(decided.notes["band"])
        values = {"from": band, "to": now, "fell": order.index(now) < order.index(band)}
        yield from _decision(seen, "band_changed", decided.assets_since, values)


def _decision(seen: Picture, kind: str, at: int, values: dict[str, Fact]) -> Iterator[Moment]:
    if at > seen.now - window_days(kind) * DAY_MS:
        yield Moment(moment_id=f"{kind}:{at}", kind=kind, occurred_at=at, event_id="", values=values)
