"""Reads all that a bank declares about its customers: what is counted, measured, judged, and the reference tables.
Called by a composition root, and by `reload` when files have changed."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.money import EXPONENTS
from services.declared_files import Place, PolicyError, Texts, place
from services.profile.adapters.reference_files import Refer, load_reference
from services.profile.domain.customers.measures import Measures
from services.profile.domain.facts.catalogue import FACTS
from services.profile.domain.states.series import Declared
from services.profile.domain.value.policy import TIERS, Policy, Portfolio, Scale, Scales, Term
from services.profile.domain.value.worth import MEASURES, MONEY_MEASURES

PRODUCT = Path(__file__).resolve().parent.parent
COUNTED = ("series.yaml", "measures.yaml")


class Declarations(NamedTuple):
    """`series` decides what is folded: a change of it is a rebuild. `policy` only what is made of the folded.
    `counted_by`: identifies what is folded and measured."""

    series: Declared
    policy: Policy
    counted_by: str


class Written(NamedTuple):
    """All that is declared, as it stood at one moment."""

    catalogue: Texts
    reference: Texts

    @property
    def own(self) -> frozenset[str]:
        return self.catalogue.own | self.reference.own

    @property
    def counted_by(self) -> str:
        return self.catalogue.only(COUNTED).version

    @property
    def judged_by(self) -> str:
        """Of everything else."""
        judged = self.catalogue.only(self.catalogue.content.keys() - set(COUNTED))
        return f"{judged.version}{self.reference.version}"


class Files(NamedTuple):
    """Where it is declared: `catalogue` and `reference`, each the product's with a bank's own laid over it."""

    catalogue: Place
    reference: Place

    def stamp(self) -> tuple[object, ...]:
        return self.catalogue.stamp(), self.reference.stamp()

    def texts(self) -> Written:
        """Raises PolicyError for a file that cannot be read."""
        return Written(self.catalogue.texts(), self.reference.texts())

    def own_names(self) -> frozenset[str]:
        return self.catalogue.own_names() | self.reference.own_names()


def files_of(catalogue: str = "", reference: str = "") -> Files:
    """Of a bank's own directories. Raises PolicyError when one is not there."""
    return Files(place(PRODUCT / "catalogue", catalogue), place(PRODUCT / "reference", reference))


def load_declarations(catalogue: str = "", reference: str = "", refer: Refer | None = None) -> Declarations:
    """`catalogue`, `reference`: a bank's own directories, laid over the product's file by file. `refer` gives the
    reference of a name (`personal.reference` with the platform's secret). Raises PolicyError."""
    return declarations_of(files_of(catalogue, reference).texts(), refer)


def declarations_of(written: Written, refer: Refer | None) -> Declarations:
    """Raises PolicyError."""
    declared, tables = written.catalogue, load_reference(written.reference, refer)
    series = declared.read("series.yaml", Declared)
    policy = Policy(
        reference=tables,
        scales=load_scales(declared, tables.home_currency),
        portfolio=load_portfolio(declared),
        measures=load_measures(declared, series),
        version=written.judged_by,
    )
    return Declarations(series, policy, written.counted_by)


def load_measures(files: Texts, series: Declared) -> Measures:
    """Raises PolicyError for a measure of a series that nobody counts, or under the name of another fact."""
    measures = files.read("measures.yaml", Measures)
    names = [rule.name for rule in measures.measures]
    taken = {name for name in names if names.count(name) > 1 or name in FACTS}
    unknown = {rule.series for rule in measures.measures} - {rule.name for rule in series.series}
    if taken or unknown:
        raise PolicyError(f"measures.yaml: names taken already: {sorted(taken)}; unknown series: {sorted(unknown)}")
    return msgspec.structs.replace(measures, summed=frozenset(rule.name for rule in series.series if rule.sums))


def load_scales(files: Texts, home_currency: str) -> Scales:
    scales = files.read("value.yaml", Scales)
    major = 10 ** EXPONENTS[home_currency]
    by_kind = {kind: _scale(kind, scale, major) for kind, scale in scales.by_kind.items()}
    return msgspec.structs.replace(scales, by_kind=by_kind)


def _scale(kind: str, scale: Scale, major: int) -> Scale:
    where = f"value.yaml: {kind}"
    tiers = [TIERS.index(one.tier) if one.tier in TIERS[1:] else -1 for one in scale.thresholds]
    if -1 in tiers or tiers != sorted(set(tiers), reverse=True):
        raise PolicyError(f"{where}: thresholds name {', '.join(TIERS[:0:-1])}, each once, from the highest down")
    bars = [bar for one in scale.thresholds for bar in (one.enter, one.leave)]
    if bars != sorted(set(bars), reverse=True):
        raise PolicyError(f"{where}: each tier is left below where it is entered, and above the next tier's entry")
    dimensions = []
    for dimension in scale.dimensions:
        terms = tuple(_term(f"{where}: {dimension.name}", term, major) for term in dimension.terms)
        dimensions.append(msgspec.structs.replace(dimension, terms=terms))
    return msgspec.structs.replace(scale, dimensions=tuple(dimensions))


def _term(where: str, term: Term, major: int) -> Term:
    where = f"{where}: {term.measure}"
    if term.measure not in MEASURES:
        raise PolicyError(f"{where} is no measure; there are {', '.join(MEASURES)}")
    if (term.unit == "money") != (term.measure in MONEY_MEASURES):
        raise PolicyError(f"{where}: unit money is for measures of money, and for these alone")
    bounds = [at_least for at_least, _ in term.steps]
    if not bounds or bounds != sorted(set(bounds)) or any(not 0 <= points <= 100 for _, points in term.steps):
        raise PolicyError(f"{where}: rising steps with points from 0 to 100 are expected")
    if term.weight <= 0:
        raise PolicyError(f"{where}: a positive weight is expected")
    if term.unit != "money":
        return term
    return msgspec.structs.replace(term, steps=tuple((at_least * major, points) for at_least, points in term.steps))


def load_portfolio(files: Texts) -> Portfolio:
    portfolio = files.read("portfolio.yaml", Portfolio)
    numbers = [entry.manager_id for entry in portfolio.roster]
    if portfolio.capacity <= 0 or len(numbers) != len(set(numbers)):
        raise PolicyError("portfolio.yaml: a positive capacity is expected, and each manager once")
    return portfolio
