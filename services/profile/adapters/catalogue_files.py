"""Reads the catalogue: what is counted, measured and judged, who owns whom, and what words of sources mean."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from schemas.catalogue import CHANNELS, FLOWS, EventType
from schemas.money import EXPONENTS
from services.declared_files import Texts
from services.expected import instead_of, nearest
from services.profile.domain.customers.measures import MeasureRule, Measures
from services.profile.domain.facts.catalogue import FACTS
from services.profile.domain.reference.reasons import Reasons
from services.profile.domain.reference.tables import PartyKind
from services.profile.domain.states.fold import VERSIONS_APART
from services.profile.domain.states.series import Declared, SeriesRule, Where
from services.profile.domain.value.policy import TIERS, Portfolio, Scale, Scales, Term
from services.profile.domain.value.worth import MEASURES, MONEY_MEASURES

SERIES, MEASURED, VALUE, PORTFOLIO = "series.yaml", "measures.yaml", "value.yaml", "portfolio.yaml"
REASONS, PARTY_KINDS = "reasons.yaml", "party_kinds.yaml"
ENTRIES = {
    "series": "name", "candidates": "name", "party_flows": "flow", "measures": "name", "dimensions": "name",
    "thresholds": "tier", "roster": "manager_id", REASONS: "reason", PARTY_KINDS: "kind",
}  # fmt: skip
"""Which field names an entry of which list: see `NamedBy`."""
OWN_VERSIONS = VERSIONS_APART - 100
"""Of the versions of declared series that there are, the rest is the product's."""


class _Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    codes: list[str]
    events: tuple[str, ...] = ()
    leaving: bool = False


class _PartyKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: PartyKind
    words: list[str]


class _Version(msgspec.Struct):
    version: int = 0


def load_series(files: Texts) -> Declared:
    """The bank counts its versions for itself, on top of the product's: a raise of either is a new fold."""
    series = files.read(SERIES, Declared)
    if SERIES not in files.own:
        return series
    product, own = (one.read(SERIES, _Version).version for one in files.apart())
    if not 1 <= own <= OWN_VERSIONS:
        message = f"1 to {OWN_VERSIONS} is expected, raised with every change, for states are folded anew by it"
        raise files.wrong(SERIES, message, "version")
    return msgspec.structs.replace(series, version=product + own)


def refuse_unknown(files: Texts, series: Declared, types: Mapping[str, EventType]) -> None:
    """Of an event type, flow, channel, direction or attribute that is mistyped nothing would ever be counted, and
    nobody told. Raises PolicyError."""
    for field, place, where in _conditions(series):
        for message, at in _unknown(where, types):
            raise files.wrong(SERIES, message, field, place, "where", *at)
    for place, one in enumerate(series.party_flows):
        if one.direction not in DIRECTIONS:
            raise files.wrong(SERIES, _NO_DIRECTION, "party_flows", place, "direction")
        if one.flow not in FLOWS:
            raise files.wrong(SERIES, _no("flow", one.flow, FLOWS), "party_flows", place, "flow")


DIRECTIONS = ("credit", "debit")
_NO_DIRECTION = f"{' or '.join(DIRECTIONS)} is expected"
_ASKED = {"types": "event type", "flows": "flow", "not_flows": "flow", "channels": "channel"}


def _unknown(where: Where, types: Mapping[str, EventType]) -> Iterator[tuple[str, Sequence[object]]]:
    known = {"event type": types, "flow": FLOWS, "channel": CHANNELS}
    for asked, what in _ASKED.items():
        for at, name in enumerate(getattr(where, asked)):
            if name not in known[what]:
                yield _no(what, name, known[what]), (asked, at)
    if where.direction not in (None, *DIRECTIONS):
        yield _NO_DIRECTION, ("direction",)
    attributes = {one.name for name in where.types or types for one in types[name].attributes}
    for asked in ("attributes", "not_attributes"):
        for name in getattr(where, asked):
            if name not in attributes:
                of = " or ".join(where.types) or "any event type"
                instead = instead_of(name, sorted(attributes))
                yield f"no attribute of {of} is called {name}: {instead}", (asked, name)


def _no(what: str, name: str, known: Collection[str]) -> str:
    return f"no {what} is called {name}{nearest(name, known)}"


def _conditions(series: Declared) -> Iterator[tuple[str, int, Where]]:
    yield from (("series", place, one.where) for place, one in enumerate(series.series))
    yield from (("candidates", place, one.where) for place, one in enumerate(series.candidates))


def load_measures(files: Texts, series: Declared) -> Measures:
    """Raises PolicyError for a measure that its series cannot give, or under the name of another fact."""
    measures = files.read(MEASURED, Measures)
    _each_once(files, MEASURED, [[rule.name] for rule in measures.measures], "name", "measures")
    for place, rule in enumerate(measures.measures):
        if rule.name in FACTS:
            raise files.wrong(MEASURED, "a fact of the product has this name", "measures", place, "name")
        _see_that_it_is_kept(files, place, rule, series.series)
    return msgspec.structs.replace(measures, summed=frozenset(rule.name for rule in series.series if rule.sums))


def _see_that_it_is_kept(files: Texts, place: int, rule: MeasureRule, series: Sequence[SeriesRule]) -> None:
    """A measure of what is not kept would be 0, or a count instead of money, and nobody told."""
    counted = [one for one in series if one.name == rule.series]
    if not counted:
        message = f"no series is called {rule.series}: {SERIES} declares what is counted"
        raise files.wrong(MEASURED, message, "measures", place, "series")
    unhoured = rule.window.endswith("h") and not all(one.hours for one in counted)
    unsummed = rule.aggregate == "sum" and not all(one.sums for one in counted)
    if unhoured or unsummed:
        field = "hours" if unhoured else "sums"
        message = f"{rule.name} ({rule.aggregate} of {rule.window}) needs `{field}: true` of series {rule.series}"
        if SERIES in files.own:
            raise files.wrong(SERIES, message, "series", series.index(counted[0]))
        raise files.wrong(MEASURED, message, "measures", place)


def load_scales(files: Texts, home_currency: str) -> Scales:
    scales = files.read(VALUE, Scales)
    major = 10 ** EXPONENTS[home_currency]
    by_kind = {kind: _scale(files, kind, scale, major) for kind, scale in scales.by_kind.items()}
    return msgspec.structs.replace(scales, by_kind=by_kind)


def _scale(files: Texts, kind: str, scale: Scale, major: int) -> Scale:
    at = ("by_kind", kind, "thresholds")
    tiers = [TIERS.index(one.tier) if one.tier in TIERS[1:] else -1 for one in scale.thresholds]
    if -1 in tiers or tiers != sorted(set(tiers), reverse=True):
        names = ", ".join(TIERS[:0:-1])
        raise files.wrong(VALUE, f"thresholds name {names}, each once, from the highest down", *at)
    bars = [bar for one in scale.thresholds for bar in (one.enter, one.leave)]
    if bars != sorted(set(bars), reverse=True):
        message = "each tier is left below where it is entered, and above the next tier's entry"
        raise files.wrong(VALUE, message, *at)
    dimensions = []
    for place, dimension in enumerate(scale.dimensions):
        within = ("by_kind", kind, "dimensions", place, "terms")
        terms = tuple(_term(files, (*within, at), term, major) for at, term in enumerate(dimension.terms))
        dimensions.append(msgspec.structs.replace(dimension, terms=terms))
    return msgspec.structs.replace(scale, dimensions=tuple(dimensions))


def _term(files: Texts, at: Sequence[object], term: Term, major: int) -> Term:
    if mistake := _mistake(term):
        raise files.wrong(VALUE, f"{term.measure}{mistake}", *at)
    if term.unit != "money":
        return term
    return msgspec.structs.replace(term, steps=tuple((at_least * major, points) for at_least, points in term.steps))


def _mistake(term: Term) -> str:
    bounds = [at_least for at_least, _ in term.steps]
    if term.measure not in MEASURES:
        return f" is no measure; there are {', '.join(MEASURES)}"
    if (term.unit == "money") != (term.measure in MONEY_MEASURES):
        return ": unit money is for measures of money, and for these alone"
    if not bounds or bounds != sorted(set(bounds)) or any(not 0 <= points <= 100 for _, points in term.steps):
        return ": rising steps with points from 0 to 100 are expected"
    return ": a positive weight is expected" if term.weight <= 0 else ""


def load_portfolio(files: Texts) -> Portfolio:
    portfolio = files.read(PORTFOLIO, Portfolio)
    if portfolio.capacity <= 0:
        raise files.wrong(PORTFOLIO, "a positive number of customers is expected", "capacity")
    _each_once(files, PORTFOLIO, [[entry.manager_id] for entry in portfolio.roster], "manager_id", "roster")
    return portfolio


def load_reasons(files: Texts) -> Reasons:
    reasons = files.read(REASONS, list[_Reason])
    _each_once(files, REASONS, [one.codes for one in reasons], "codes")
    return Reasons(
        {code: one.reason for one in reasons for code in one.codes},
        {event: one.reason for one in reasons for event in one.events},
        frozenset(one.reason for one in reasons if one.leaving),
    )


def load_party_kinds(files: Texts) -> Mapping[str, PartyKind]:
    kinds = files.read(PARTY_KINDS, list[_PartyKind])
    _each_once(files, PARTY_KINDS, [one.words for one in kinds], "words")
    return {word: one.kind for one in kinds for word in one.words}


def _each_once(files: Texts, name: str, lists: Sequence[Sequence[str]], field: str, *above: str) -> None:
    seen = set[str]()
    for place, words in enumerate(lists):
        for word in words:
            if word in seen:
                raise files.wrong(name, f"{word} stands here for the second time", *above, place, field)
            seen.add(word)
