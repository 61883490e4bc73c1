"""Reads what a bank declares (scales, portfolio, dated reference files) into structs, and refuses what contradicts
itself, naming the file. Called once by a composition root."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from schemas.money import EXPONENTS
from services.profile.domain.calendar import Calendar, day_number
from services.profile.domain.policy import TIERS, Policy, Portfolio, Scale, Scales, Term
from services.profile.domain.reference import RATE_SCALE, Listed, Rate, Reference
from services.profile.domain.worth import MEASURES, MONEY_MEASURES

HERE = Path(__file__).resolve().parent.parent
CATALOGUE = HERE / "catalogue"
REFERENCE = HERE / "reference"
T = TypeVar("T")


class PolicyError(ValueError):
    """A declared file contradicts itself: the message names file and mistake."""


class Dated(msgspec.Struct, frozen=True):
    """The settings of a bank that the reference files do not hold. Money in major units of the home currency."""

    home_currency: str = "CNY"
    calendar: str = "CN"
    zone_minutes: int = 480
    closes_minutes: int = 1440
    private_banking_threshold: int = 6_000_000
    near_band: int = 1_000_000


class _Institution(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    title: str
    bank: str = ""
    name: str = ""
    kind: str = "bank"
    own: bool = False
    from_: date | None = None
    until: date | None = None


class _CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    known_until: date
    holidays: dict[str, list[date]]
    make_up_days: list[date]


class _RatesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    base: str
    rates: dict[str, dict[date, str]]


def load_policy(
    settings: Dated = Dated(),  # noqa: B008 - frozen
    *,
    catalogue: Path = CATALOGUE,
    reference: Path = REFERENCE,
    refer: Callable[[str], str] | None = None,
) -> Policy:
    """`refer` gives the reference of a name (`personal.reference` with the platform's secret): without it, institutions
    listed by name are not recognised. Raises PolicyError."""
    return Policy(
        reference=load_reference(settings, reference, refer),
        scales=load_scales(catalogue / "value.yaml", settings.home_currency),
        portfolio=load_portfolio(catalogue / "portfolio.yaml"),
    )


def load_reference(settings: Dated, directory: Path, refer: Callable[[str], str] | None = None) -> Reference:
    if settings.home_currency not in EXPONENTS:
        raise PolicyError(f"{settings.home_currency} is no ISO 4217 currency with a minor unit")
    major = 10 ** EXPONENTS[settings.home_currency]
    banks = _read(directory / "banks.yaml", list[_Institution])
    return Reference(
        calendar=load_calendar(directory / f"calendar.{settings.calendar}.yaml"),
        home_currency=settings.home_currency,
        private_banking_threshold=settings.private_banking_threshold * major,
        near_band=settings.near_band * major,
        zone_minutes=settings.zone_minutes,
        closes_minutes=settings.closes_minutes,
        rates=load_rates(directory / "rates.yaml", settings.home_currency),
        banks={one.bank: _listed(one, one.bank) for one in banks},
        competitors=_institutions(directory / "competitors.yaml", refer),
        lenders=_institutions(directory / "lenders.yaml", refer),
        own_banks=frozenset(one.bank for one in banks if one.own),
        version=_version(directory),
    )


def load_calendar(path: Path) -> Calendar:
    told = _read(path, _CalendarFile)
    holidays = frozenset(day_number(day) for days in told.holidays.values() for day in days)
    worked = frozenset(map(day_number, told.make_up_days))
    if holidays & worked:
        raise PolicyError(f"{path.name}: a day is both holiday and make-up day")
    return Calendar(told.name, holidays, worked, day_number(told.known_until))


def load_rates(path: Path, home: str) -> Mapping[str, list[Rate]]:
    """By currency, in home units; crossed over the file's base where that is another currency."""
    told = _read(path, _RatesFile)
    quoted = {code: _dated(path, code, dated) for code, dated in told.rates.items()}
    if home == told.base:
        return {code: [Rate(day, _scaled(rate)) for day, rate in dated] for code, dated in quoted.items()}
    if home not in quoted:
        return {}
    crossed = {told.base: [Rate(day, _scaled(1 / rate)) for day, rate in quoted[home]]}
    for code, dated in quoted.items():
        if code != home:
            crossed[code] = [Rate(day, _scaled(rate / _as_of(quoted[home], day))) for day, rate in dated]
    return crossed


def _dated(path: Path, code: str, dated: Mapping[date, str]) -> list[tuple[int, Decimal]]:
    try:
        found = sorted((day_number(day), Decimal(rate)) for day, rate in dated.items())
    except ArithmeticError as error:
        raise PolicyError(f"{path.name}: {code}: decimal numbers as text are expected") from error
    if code not in EXPONENTS or not found or any(rate <= 0 for _, rate in found):
        raise PolicyError(f"{path.name}: {code}: an ISO 4217 code with positive rates is expected")
    return found


def _as_of(dated: list[tuple[int, Decimal]], day: int) -> Decimal:
    return next((rate for known, rate in reversed(dated) if known <= day), dated[0][1])


def _scaled(rate: Decimal) -> int:
    return round(rate * RATE_SCALE)


def _institutions(path: Path, refer: Callable[[str], str] | None) -> list[Listed]:
    found = []
    for one in _read(path, list[_Institution]):
        if bool(one.bank) == bool(one.name):
            raise PolicyError(f"{path.name}: {one.title}: either bank or name is expected")
        if one.bank:
            found.append(_listed(one, one.bank))
        elif refer is not None:
            found.append(_listed(one, refer(one.name)))
    return found


def _listed(one: _Institution, key: str) -> Listed:
    always = Listed(key=key, title=one.title, kind=one.kind)
    return Listed(
        key=key,
        title=one.title,
        kind=one.kind,
        from_day=day_number(one.from_) if one.from_ else always.from_day,
        until_day=day_number(one.until) if one.until else always.until_day,
    )


def load_scales(path: Path, home_currency: str) -> Scales:
    scales = _read(path, Scales)
    major = 10 ** EXPONENTS[home_currency]
    by_kind = {kind: _scale(path, kind, scale, major) for kind, scale in scales.by_kind.items()}
    return msgspec.structs.replace(scales, by_kind=by_kind)


def _scale(path: Path, kind: str, scale: Scale, major: int) -> Scale:
    where = f"{path.name}: {kind}"
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
    if term.measure not in MEASURES:
        raise PolicyError(f"{where}: {term.measure} is no measure; there are {', '.join(MEASURES)}")
    if (term.unit == "money") != (term.measure in MONEY_MEASURES):
        raise PolicyError(f"{where}: {term.measure}: unit money is for money measures, and for these alone")
    bounds = [at_least for at_least, _ in term.steps]
    if not bounds or bounds != sorted(set(bounds)) or any(not 0 <= points <= 100 for _, points in term.steps):
        raise PolicyError(f"{where}: {term.measure}: rising steps with points from 0 to 100 are expected")
    if term.weight <= 0:
        raise PolicyError(f"{where}: {term.measure}: a positive weight is expected")
    if term.unit != "money":
        return term
    return msgspec.structs.replace(term, steps=tuple((at_least * major, points) for at_least, points in term.steps))


def load_portfolio(path: Path) -> Portfolio:
    portfolio = _read(path, Portfolio)
    numbers = [entry.manager_id for entry in portfolio.roster]
    if portfolio.capacity <= 0 or len(numbers) != len(set(numbers)):
        raise PolicyError(f"{path.name}: a positive capacity is expected, and each manager once")
    return portfolio


def _version(directory: Path) -> str:
    """Names the content of the files, so that a view says by which tables it was made."""
    told = sha256()
    for path in sorted(directory.glob("*.yaml")):
        told.update(path.name.encode() + b"\0" + path.read_bytes())
    return told.hexdigest()[:12]


def _read(path: Path, into: type[T]) -> T:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(content, into, strict=False)
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise PolicyError(f"{path.name}: {error}") from error
