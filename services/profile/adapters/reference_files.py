"""Reads the dated reference files: the bank itself, calendar, rates, banks, competitors, lenders."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256

import msgspec

from schemas.money import EXPONENTS
from services.declared_files import Place, PolicyError
from services.profile.domain.reference.calendar import Calendar, day_number
from services.profile.domain.reference.offers import NextProduct
from services.profile.domain.reference.reasons import Reasons
from services.profile.domain.reference.tables import RATE_SCALE, Listed, PartyKind, Rate, Reference

Refer = Callable[[str], str]
Quoted = list[tuple[int, Decimal]]


class _Bank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    home_currency: str
    calendar: str
    zone_minutes: int
    closes_minutes: int
    private_banking_threshold: int
    near_band: int


class _Institution(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    title: str
    bank: str = ""
    name: str = ""
    kind: str = "bank"
    own: bool = False
    from_: date | None = None
    until: date | None = None


class _Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    codes: list[str]
    events: tuple[str, ...] = ()
    leaving: bool = False


class _PartyKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: PartyKind
    words: list[str]


class _NextProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    kind: str
    tiers: list[str]
    has: list[str]
    next: str
    share_percent: int
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


def load_reference(files: Place, refer: Refer | None) -> Reference:
    """`refer` gives the reference of a name; without it, institutions listed by name are not recognised."""
    bank = files.read("bank.yaml", _Bank)
    if bank.home_currency not in EXPONENTS:
        raise PolicyError(f"bank.yaml: {bank.home_currency} is no ISO 4217 currency with a minor unit")
    major = 10 ** EXPONENTS[bank.home_currency]
    banks = files.read("banks.yaml", list[_Institution])
    return Reference(
        calendar=load_calendar(files, bank.calendar),
        home_currency=bank.home_currency,
        private_banking_threshold=bank.private_banking_threshold * major,
        near_band=bank.near_band * major,
        zone_minutes=bank.zone_minutes,
        closes_minutes=bank.closes_minutes,
        rates=load_rates(files, bank.home_currency),
        competitors=_institutions(files, "competitors.yaml", refer),
        lenders=_institutions(files, "lenders.yaml", refer),
        own_banks=frozenset(one.bank for one in banks if one.own),
        reasons=load_reasons(files),
        next_products=load_next_products(files),
        party_kinds=load_party_kinds(files),
        version=_version(files),
    )


def load_reasons(files: Place) -> Reasons:
    told = files.read("reasons.yaml", list[_Reason])
    codes = [code for one in told for code in one.codes]
    if len(codes) != len(set(codes)):
        raise PolicyError("reasons.yaml: each code has one reason")
    return Reasons(
        {code: one.reason for one in told for code in one.codes},
        {event: one.reason for one in told for event in one.events},
        frozenset(one.reason for one in told if one.leaving),
    )


def load_party_kinds(files: Place) -> Mapping[str, PartyKind]:
    told = files.read("party_kinds.yaml", list[_PartyKind])
    words = [word for one in told for word in one.words]
    if len(words) != len(set(words)):
        raise PolicyError("party_kinds.yaml: each word has one kind")
    return {word: one.kind for one in told for word in one.words}


def load_next_products(files: Place) -> list[NextProduct]:
    return [
        NextProduct(
            one.kind, frozenset(one.tiers), frozenset(one.has), one.next, one.share_percent,
            day_number(one.from_ or date.min), day_number(one.until or date.max),
        )
        for one in files.read("next_products.yaml", list[_NextProduct])
    ]  # fmt: skip


def load_calendar(files: Place, name: str) -> Calendar:
    file = f"calendar.{name}.yaml"
    told = files.read(file, _CalendarFile)
    holidays = frozenset(day_number(day) for days in told.holidays.values() for day in days)
    worked = frozenset(map(day_number, told.make_up_days))
    if holidays & worked:
        raise PolicyError(f"{file}: a day is both holiday and make-up day")
    return Calendar(told.name, holidays, worked, day_number(told.known_until))


def load_rates(files: Place, home: str) -> Mapping[str, list[Rate]]:
    """By currency, in home units; crossed over the file's base where that is another currency."""
    told = files.read("rates.yaml", _RatesFile)
    quoted = {code: _quoted(code, dated) for code, dated in told.rates.items()}
    if home == told.base:
        return {code: [Rate(day, _scaled(rate)) for day, rate in dated] for code, dated in quoted.items()}
    if home not in quoted:
        return {}
    crossed = {told.base: [Rate(day, _scaled(1 / rate)) for day, rate in quoted[home]]}
    for code in quoted.keys() - {home}:
        # a cross rate moves on the days of either
        days = sorted({day for day, _ in (*quoted[code], *quoted[home])})
        crossed[code] = [Rate(day, _scaled(_as_of(quoted[code], day) / _as_of(quoted[home], day))) for day in days]
    return crossed


def _quoted(code: str, dated: Mapping[date, str]) -> Quoted:
    try:
        found = sorted((day_number(day), Decimal(rate)) for day, rate in dated.items())
    except ArithmeticError as error:
        raise PolicyError(f"rates.yaml: {code}: decimal numbers as text are expected") from error
    if code not in EXPONENTS or not found or not all(rate.is_finite() and rate > 0 for _, rate in found):
        raise PolicyError(f"rates.yaml: {code}: an ISO 4217 code with positive rates is expected")
    return found


def _as_of(dated: Quoted, day: int) -> Decimal:
    return next((rate for known, rate in reversed(dated) if known <= day), dated[0][1])


def _scaled(rate: Decimal) -> int:
    return round(rate * RATE_SCALE)


def _institutions(files: Place, name: str, refer: Refer | None) -> list[Listed]:
    found = []
    for one in files.read(name, list[_Institution]):
        if bool(one.bank) == bool(one.name):
            raise PolicyError(f"{name}: {one.title}: either bank or name is expected")
        if one.bank:
            found.append(_listed(one, one.bank))
        elif refer is not None:
            found.append(_listed(one, refer(one.name)))
    return found


def _listed(one: _Institution, key: str) -> Listed:
    from_day, until_day = day_number(one.from_ or date.min), day_number(one.until or date.max)
    return Listed(key=key, kind=one.kind, from_day=from_day, until_day=until_day)


def _version(files: Place) -> str:
    """Names the content of the files, so that a view can say by which tables it was made."""
    told = sha256()
    for path in files.paths():
        told.update(path.name.encode() + b"\0" + path.read_bytes())
    return told.hexdigest()[:12]
