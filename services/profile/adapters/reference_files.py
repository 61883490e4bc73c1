"""Reads the dated reference files: the bank itself, calendar, rates, banks, competitors, lenders."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from schemas.money import EXPONENTS
from schemas.zone import Zone
from services.declared_files import Texts
from services.profile.adapters.catalogue_files import load_party_kinds, load_reasons
from services.profile.domain.reference.calendar import Calendar, day_number
from services.profile.domain.reference.offers import NextProduct
from services.profile.domain.reference.tables import RATE_SCALE, Listed, Rate, Reference

Refer = Callable[[str], str]
Quoted = list[tuple[int, Decimal]]


class _Bank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    home_currency: str
    calendar: str
    zone: str
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


def load_reference(files: Texts, words: Texts, refer: Refer | None) -> Reference:
    """`words`: the files that explain those of sources. `refer` gives the reference of a name; without it, institutions
    listed by name are not recognised."""
    bank = files.read("bank.yaml", _Bank)
    if bank.home_currency not in EXPONENTS:
        raise files.wrong(
            "bank.yaml", f"{bank.home_currency} is no ISO 4217 currency with a minor unit", "home_currency"
        )
    major = 10 ** EXPONENTS[bank.home_currency]
    banks = files.read("banks.yaml", list[_Institution])
    return Reference(
        calendar=load_calendar(files, bank.calendar),
        home_currency=bank.home_currency,
        private_banking_threshold=bank.private_banking_threshold * major,
        near_band=bank.near_band * major,
        zone=_zone(files, bank),
        closes_minutes=bank.closes_minutes,
        rates=load_rates(files, bank.home_currency),
        competitors=_institutions(files, "competitors.yaml", refer),
        lenders=_institutions(files, "lenders.yaml", refer),
        own_banks=frozenset(one.bank for one in banks if one.own),
        other_banks=frozenset(one.bank for one in banks if not one.own),
        reasons=load_reasons(words),
        next_products=load_next_products(files),
        party_kinds=load_party_kinds(words),
    )


def _zone(files: Texts, bank: _Bank) -> Zone:
    try:
        ZoneInfo(bank.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise files.wrong("bank.yaml", f"{bank.zone!r} is no time zone", "zone") from None
    return Zone(bank.zone)


def load_next_products(files: Texts) -> list[NextProduct]:
    return [
        NextProduct(
            one.kind, frozenset(one.tiers), frozenset(one.has), one.next, one.share_percent,
            day_number(one.from_ or date.min), day_number(one.until or date.max),
        )
        for one in files.read("next_products.yaml", list[_NextProduct])
    ]  # fmt: skip


def load_calendar(files: Texts, name: str) -> Calendar:
    file = f"calendar.{name}.yaml"
    calendar = files.read(file, _CalendarFile)
    holidays = frozenset(day_number(day) for days in calendar.holidays.values() for day in days)
    worked = frozenset(map(day_number, calendar.make_up_days))
    if both := sorted(day for day in calendar.make_up_days if day_number(day) in holidays):
        raise files.wrong(file, f"{both[0]} is both holiday and make-up day", "make_up_days")
    return Calendar(calendar.name, holidays, worked, day_number(calendar.known_until))


def load_rates(files: Texts, home: str) -> Mapping[str, list[Rate]]:
    """By currency, in home units; crossed over the file's base where that is another currency."""
    declared = files.read("rates.yaml", _RatesFile)
    quoted = {code: _quoted(files, code, dated) for code, dated in declared.rates.items()}
    if home == declared.base:
        return {code: [Rate(day, _scaled(rate)) for day, rate in dated] for code, dated in quoted.items()}
    if home not in quoted:
        return {}
    crossed = {declared.base: [Rate(day, _scaled(1 / rate)) for day, rate in quoted[home]]}
    for code in quoted.keys() - {home}:
        # a cross rate moves on the days of either
        days = sorted({day for day, _ in (*quoted[code], *quoted[home])})
        crossed[code] = [Rate(day, _scaled(_as_of(quoted[code], day) / _as_of(quoted[home], day))) for day in days]
    return crossed


def _quoted(files: Texts, code: str, dated: Mapping[date, str]) -> Quoted:
    if code not in EXPONENTS:
        raise files.wrong("rates.yaml", "no ISO 4217 code with a minor unit", "rates", code)
    if not dated:
        raise files.wrong("rates.yaml", "at least one rate is expected", "rates", code)
    return sorted((day_number(day), _positive(files, code, day, rate)) for day, rate in dated.items())


def _positive(files: Texts, code: str, day: date, text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except ArithmeticError:
        rate = Decimal(0)
    if not rate.is_finite() or rate <= 0:
        raise files.wrong("rates.yaml", "a positive decimal number as text is expected", "rates", code, day)
    return rate


def _as_of(dated: Quoted, day: int) -> Decimal:
    return next((rate for known, rate in reversed(dated) if known <= day), dated[0][1])


def _scaled(rate: Decimal) -> int:
    return round(rate * RATE_SCALE)


def _institutions(files: Texts, name: str, refer: Refer | None) -> list[Listed]:
    found = []
    for place, one in enumerate(files.read(name, list[_Institution])):
        if bool(one.bank) == bool(one.name):
            raise files.wrong(name, f"{one.title}: either bank or name is expected", place)
        if one.bank:
            found.append(_listed(one, one.bank))
        elif refer is not None:
            found.append(_listed(one, refer(one.name)))
    return found


def _listed(one: _Institution, key: str) -> Listed:
    from_day, until_day = day_number(one.from_ or date.min), day_number(one.until or date.max)
    return Listed(key=key, kind=one.kind, from_day=from_day, until_day=until_day)
