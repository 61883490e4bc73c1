"""Dated tables that a bank replaces: calendar, exchange rates, banks, competitors, lenders, reasons, products.

Every look-up takes the day it is about, so that a backtest sees what was known then.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from schemas.instants import DAY_MS, MINUTE_MS
from schemas.money import EXPONENTS
from schemas.zone import BEIJING, Zone
from services.profile.domain.reference.calendar import Calendar
from services.profile.domain.reference.offers import NextProduct
from services.profile.domain.reference.reasons import NO_REASONS, Reasons

RATE_SCALE = 1_000_000
"""Rates are integers: millionths of a home unit for one unit of the foreign currency, both in major units."""

POWERS = (1, 10, 100, 1_000, 10_000)

PartyKind = Literal["own", "competitor", "broker", "lender", "short_term"]
"""What a source may call the other side, in the bank's words."""
_COMPETING, _LENDING = ("competitor", "broker"), ("lender", "short_term")
PartyClass = Literal["own_bank", "competitor", "lender", "broker", "bank", "other"]
_REMEMBERED = 65_536


class Rate(NamedTuple):
    from_day: int
    scaled: int


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One dated entry of a list of institutions: met by its bank code, or by the reference of its name (`p_…`)."""

    key: str
    kind: str
    from_day: int
    until_day: int

    def holds(self, day: int) -> bool:
        return self.from_day <= day <= self.until_day


class PartyKey(NamedTuple):
    """A counterparty's key in a state, taken apart: `bank/account_no#name`, a name's reference, or a source's kind."""

    bank: str
    account_no: str
    name: str


@lru_cache(_REMEMBERED)
def parse_party(key: str) -> PartyKey:
    body, _, name = key.partition("#")
    bank, slash, account_no = body.partition("/")
    return PartyKey(bank, account_no, name) if slash else PartyKey("", "", body)


class Reference:
    """Built once from the dated files and passed down; nothing in it changes."""

    def __init__(
        self,
        *,
        calendar: Calendar,
        home_currency: str = "CNY",
        private_banking_threshold: int = 600_000_000,
        near_band: int = 100_000_000,
        zone: Zone = BEIJING,
        closes_minutes: int = 1440,
        rates: Mapping[str, Sequence[Rate]] | None = None,
        competitors: Sequence[Listed] = (),
        lenders: Sequence[Listed] = (),
        own_banks: frozenset[str] = frozenset(),
        other_banks: frozenset[str] = frozenset(),
        reasons: Reasons = NO_REASONS,
        next_products: Sequence[NextProduct] = (),
        party_kinds: Mapping[str, PartyKind] | None = None,
    ) -> None:
        """Amounts in minor units of the home currency; `closes_minutes` after midnight."""
        self.calendar, self.home_currency = calendar, home_currency
        self.home_unit = float(10 ** EXPONENTS[home_currency])
        self.private_banking_threshold, self.near_band = private_banking_threshold, near_band
        self._zone, self._closes_ms = zone, closes_minutes * MINUTE_MS
        self.reasons, self.next_products = reasons, next_products
        self._rates = {code: sorted(dated) for code, dated in (rates or {}).items()}
        self._own_banks, self._party_kinds = own_banks, party_kinds or {}
        self._competitors, self._lenders = _by_key(competitors), _by_key(lenders)
        self._listed = frozenset(self._competitors.keys() | self._lenders.keys())
        self._other_banks = (other_banks | self._listed) - own_banks

    # --- days -------------------------------------------------------------------------------------------------

    def day_of(self, at_ms: int) -> int:
        """Day since 1970 in the bank's zone."""
        return (at_ms + self._zone.offset(at_ms)) // DAY_MS

    def start_of(self, day: int) -> int:
        """Midnight in the bank's zone that begins the day, in ms UTC."""
        return self._zone.instant(day * DAY_MS)

    def close_of(self, day: int) -> int:
        """When the bank day closes, in ms UTC."""
        return self._zone.instant(day * DAY_MS + self._closes_ms)

    def closed_day(self, now: int) -> int:
        """The last bank day that has closed."""
        day = self.day_of(now)
        return _working_day_before(self.calendar, day if self.close_of(day) <= now else day - 1)

    def next_close(self, now: int) -> int:
        """When the next bank day closes, in ms UTC; later than `now`."""
        return self.close_of(_working_day_after(self.calendar, self.closed_day(now) + 1))

    def is_working_day(self, day: int) -> bool:
        return self.calendar.is_working_day(day)

    # --- money ------------------------------------------------------------------------------------------------

    def rate(self, currency: str, day: int) -> int | None:
        """Scaled by `RATE_SCALE`; None for a currency without rates. Before the first rate, the first one stands."""
        if currency == self.home_currency:
            return RATE_SCALE
        dated = self._rates.get(currency)
        if not dated:
            return None
        return dated[max(0, bisect_right(dated, day, key=_from_day) - 1)].scaled

    def home_minor(self, minor: int, currency: str, day: int) -> int | None:
        """In minor units of the home currency, rounded half away from zero; None without a rate, save for nothing."""
        if currency == self.home_currency or minor == 0:
            return minor
        scaled = self.rate(currency, day)
        if scaled is None:
            return None
        shift = EXPONENTS[self.home_currency] - EXPONENTS[currency]
        above = abs(minor) * scaled * POWERS[max(shift, 0)]
        below = RATE_SCALE * POWERS[max(-shift, 0)]
        home = (2 * above + below) // (2 * below)
        return -home if minor < 0 else home

    # --- institutions -----------------------------------------------------------------------------------------

    def is_listed(self, bank: str) -> bool:
        """Whether any list names it, on whatever day."""
        return bank in self._listed

    def may_be_listed(self, party: PartyKey) -> bool:
        return party.bank in self._listed or party.name in self._listed

    def is_own_bank(self, bank: str) -> bool:
        return bank in self._own_banks

    def is_other_bank(self, bank: str) -> bool:
        """Whether a list knows it as another bank than this one: account numbers are unique within a bank alone."""
        return bank in self._other_banks

    def party_kind(self, word: str) -> PartyKind | None:
        """None for a word that nobody listed."""
        return self._party_kinds.get(word)

    def is_competitor(self, party: str, day: int, kind: PartyKind | None = None) -> bool:
        """Whether money sent to this counterparty key (or bank code) leaves for a competitor, by a list or by what the
        source calls it (`kind`)."""
        return kind in _COMPETING or _listed(self._competitors, parse_party(party), day) is not None

    def is_lender(self, party: str, day: int, kind: PartyKind | None = None) -> bool:
        return kind in _LENDING or _listed(self._lenders, parse_party(party), day) is not None

    def is_broker(self, party: str, day: int, kind: PartyKind | None = None) -> bool:
        listed = _listed(self._competitors, parse_party(party), day)
        return kind == "broker" or (listed is not None and listed.kind == "broker")

    def is_short_term_lender(self, party: str, day: int, kind: PartyKind | None = None) -> bool:
        listed = _listed(self._lenders, parse_party(party), day)
        return kind == "short_term" or (listed is not None and listed.kind == "short_term")

    def classify(self, party: str, day: int) -> PartyClass:
        """A competitor wins over a lender: money that leaves says more than money that is owed."""
        parsed = parse_party(party)
        if self.may_be_listed(parsed):
            competitor = _listed(self._competitors, parsed, day)
            if competitor is not None:
                return "broker" if competitor.kind == "broker" else "competitor"
            if _listed(self._lenders, parsed, day) is not None:
                return "lender"
        if parsed.bank in self._own_banks:
            return "own_bank"
        return "bank" if parsed.bank else "other"


@lru_cache(1024)
def _working_day_before(calendar: Calendar, day: int) -> int:
    return calendar.working_day_before(day)


@lru_cache(1024)
def _working_day_after(calendar: Calendar, day: int) -> int:
    return calendar.working_day_after(day)


def _from_day(rate: Rate) -> int:
    return rate.from_day


def _by_key(entries: Sequence[Listed]) -> dict[str, list[Listed]]:
    found: dict[str, list[Listed]] = {}
    for entry in entries:
        found.setdefault(entry.key, []).append(entry)
    return found


def _listed(entries: Mapping[str, list[Listed]], party: PartyKey, day: int) -> Listed | None:
    found = entries.get(party.bank) or entries.get(party.name)
    return next((entry for entry in found if entry.holds(day)), None) if found else None
