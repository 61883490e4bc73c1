"""Dated tables: what was known on a day."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.zone import Zone
from services.declared_files import PolicyError
from services.profile.adapters.policies import PRODUCT, load_declarations
from services.profile.domain.reference.calendar import Calendar, day_number
from services.profile.domain.reference.tables import RATE_SCALE, Listed, Rate, Reference
from tests.profile.value.portrait import ms, number, reference


def bank(rates: dict[str, list[Rate]] | None = None, competitors: Sequence[Listed] = ()) -> Reference:
    return Reference(calendar=reference().calendar, rates=rates, competitors=competitors)


def test_a_rate_holds_from_its_day_until_the_next() -> None:
    dated = bank(rates={"USD": [Rate(100, 7_000_000), Rate(200, 7_500_000)]})
    assert [dated.rate("USD", day) for day in (50, 100, 199, 200, 900)] == [
        7_000_000, 7_000_000, 7_000_000, 7_500_000, 7_500_000,
    ]  # fmt: skip
    told = bank(rates={"USD": [Rate(200, 2), Rate(100, 1)]})
    assert [told.rate("USD", day) for day in (150, 250)] == [1, 2], "in whatever order they are told"
    assert dated.rate("CNY", 1) == RATE_SCALE
    assert dated.rate("XXX", 1) is None


def test_money_is_converted_between_currencies_of_different_decimals() -> None:
    dated = bank(rates={"JPY": [Rate(0, 48_000)], "KWD": [Rate(0, 23_000_000)]})
    assert dated.home_minor(10_000, "JPY", 1) == 48_000
    assert dated.home_minor(1_000, "KWD", 1) == 2_300
    assert dated.home_minor(5, "GBP", 1) is None


@pytest.mark.parametrize(("scaled", "minor"), [(1_400_000, 1), (1_500_000, 2), (1_600_000, 2), (400_000, 0)])
def test_half_a_cent_is_rounded_away_from_nothing(scaled: int, minor: int) -> None:
    dated = bank(rates={"USD": [Rate(0, scaled)]})
    assert (dated.home_minor(1, "USD", 1), dated.home_minor(-1, "USD", 1)) == (minor, -minor)


@given(st.integers(-(2**53), 2**53), st.integers(1, 10**9))
def test_conversion_treats_both_signs_alike(minor: int, scaled: int) -> None:
    dated = bank(rates={"USD": [Rate(0, scaled)]})
    there, back = dated.home_minor(minor, "USD", 0), dated.home_minor(-minor, "USD", 0)
    assert there is not None
    assert back == -there


def test_a_competitor_is_one_only_while_it_is_listed() -> None:
    listed = Listed(key="CMPX", kind="bank", from_day=100, until_day=200)
    dated = bank(competitors=[listed])
    assert [dated.is_competitor("CMPX/42#p_me", day) for day in (99, 100, 200, 201)] == [False, True, True, False]


def test_whoever_is_listed_no_longer_is_a_bank_like_others() -> None:
    listed = Listed(key="LNDX", kind="short_term", from_day=100, until_day=200)
    dated = Reference(calendar=reference().calendar, competitors=[msgspec.structs.replace(listed, key="CMPX")],
                      lenders=[listed])  # fmt: skip
    for bank_code, of_then in (("CMPX", "competitor"), ("LNDX", "lender")):
        assert [dated.classify(f"{bank_code}/1", day) for day in (99, 200, 201)] == ["bank", of_then, "bank"]


def test_only_a_lender_that_is_listed_as_one_lends_for_a_short_term() -> None:
    kinds = {"LNDX": "short_term", "LNDY": "bank"}
    lenders = [Listed(key=key, kind=kind, from_day=0, until_day=999) for key, kind in kinds.items()]
    dated = Reference(calendar=reference().calendar, lenders=lenders)
    assert [dated.is_short_term_lender(f"{key}/1", 1) for key in (*kinds, "OTHA")] == [True, False, False]
    assert [dated.is_short_term_lender("OTHA/1", 1, kind) for kind in ("short_term", "lender")] == [True, False]


def test_institutions_are_met_by_bank_code_or_by_name() -> None:
    day = number("2026-11-20")
    assert reference().classify("CMPA/1", day) == "competitor"
    assert reference().classify("BRKA/1", day) == "broker"
    assert reference().classify("OTHA/1#p_Harvest Consumer Finance", day) == "lender"
    assert reference().classify("CPBK/1", day) == "own_bank"
    assert reference().classify("OTHA/1", day) == "bank"
    assert reference().classify("p_somebody", day) == "other"


def test_a_bank_day_closes_at_its_midnight_and_not_on_free_days() -> None:
    friday, monday = number("2026-11-20"), number("2026-11-23")
    assert reference().closed_day(ms("2026-11-20", 23)) == friday - 1
    assert reference().closed_day(ms("2026-11-21", 0)) == friday
    assert reference().closed_day(ms("2026-11-23", 9)) == friday
    assert reference().next_close(ms("2026-11-21", 9)) == ms("2026-11-24", 0)
    assert reference().closed_day(reference().next_close(ms("2026-11-21", 9))) == monday


def test_a_bank_may_close_its_day_in_the_afternoon() -> None:
    tables = Reference(calendar=reference().calendar, closes_minutes=17 * 60)
    friday, five = number("2026-11-20"), ms("2026-11-20", 17)
    assert [tables.closed_day(now) for now in (five - 1, five)] == [friday - 1, friday]
    assert [tables.next_close(now) for now in (five - 1, five)] == [five, ms("2026-11-23", 17)]


def test_a_file_of_the_banks_own_replaces_one_and_leaves_the_others(tmp_path: Path) -> None:
    own = (
        (PRODUCT / "reference" / "bank.yaml")
        .read_text()
        .replace("CNY", "CZK")
        .replace("calendar: CN", "calendar: generic")
    )
    (tmp_path / "bank.yaml").write_text(own)
    tables = load_declarations(reference=str(tmp_path)).policy.reference
    assert tables.home_currency == "CZK"
    assert tables.home_minor(100, "CNY", number("2026-02-01")) == 294
    assert tables.is_competitor("CMPA/1", number("2026-02-01"))


def utc(told: str) -> int:
    return int(datetime.fromisoformat(told + "Z").timestamp()) * 1000


WORKDAYS = Calendar("generic", frozenset(), frozenset(), day_number(date(2100, 12, 31)))


def at_bank(zone: str, closes_minutes: int = 1440) -> Reference:
    return Reference(calendar=WORKDAYS, zone=Zone(zone), closes_minutes=closes_minutes)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("Europe/Prague", "2026-01-15", "2026-01-14T23:00", "2026-01-15T23:00"),
        ("Europe/Prague", "2026-07-15", "2026-07-14T22:00", "2026-07-15T22:00"),
        ("Europe/Prague", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Prague", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        # midnight is left out, or comes twice
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_of_clocks_that_change(
    zone: str, day: str, begins: str, ends: str
) -> None:
    tables, of = at_bank(zone), number(day)
    assert (tables.start_of(of), tables.close_of(of), tables.start_of(of + 1)) == (utc(begins), utc(ends), utc(ends))
    assert [tables.day_of(utc(begins) + ms) - of for ms in (-1, 0)] == [-1, 0]
    assert [tables.day_of(utc(ends) + ms) - of for ms in (-1, 0)] == [0, 1]


def test_a_bank_day_closes_at_the_same_time_by_the_clock_in_summer_and_in_winter() -> None:
    tables = at_bank("Europe/Prague", closes_minutes=17 * 60)
    closes = [tables.close_of(number(day)) for day in ("2026-03-28", "2026-03-30", "2026-10-26")]
    assert closes == [utc("2026-03-28T16:00"), utc("2026-03-30T15:00"), utc("2026-10-26T16:00")]
    assert tables.next_close(utc("2026-03-27T16:00")) == utc("2026-03-30T15:00")


@given(st.integers(0, utc("2099-12-31T00:00")))
def test_every_instant_lies_in_its_day_whatever_the_clocks_do(at: int) -> None:
    for zone in ("Europe/Prague", "America/Havana", "Australia/Lord_Howe"):
        tables = at_bank(zone)
        assert tables.start_of(tables.day_of(at)) <= at < tables.start_of(tables.day_of(at) + 1)


RATES = """base: CNY
rates:
  USD: {{2026-01-01: '7.03'}}
  EUR:
    {{2026-01-01: '8.24', 2026-01-02: {}}}
"""
BANK = """home_currency: {}
zone: {}
closes_minutes: 1440
private_banking_threshold: 6000000
near_band: 1000000
"""
CALENDAR = """name: CN
known_until: 2026-12-31
holidays: {new_year: [2026-01-01, 2026-01-03]}
make_up_days: [2026-01-04, 2026-01-03]
"""


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rates.yaml", RATES.format("'x'"), "rates.yaml:5: rates.EUR.2026-01-02: a positive decimal number as text"),
        ("rates.yaml", RATES.format("'-1'"), "rates.yaml:5: rates.EUR.2026-01-02: a positive decimal number as text"),
        ("rates.yaml", RATES.format("8.24"), "rates.yaml:5: rates.EUR.2026-01-02: Expected `str`, got `float`"),
        ("rates.yaml", RATES.format("'1'}\n  US: {2026-01-01: '1'"), "rates.yaml:6: rates.US: no ISO 4217 code"),
        ("rates.yaml", RATES.format("'1'}\n  GBP: {"), "rates.yaml:6: rates.GBP: at least one rate"),
        ("rates.yaml", RATES.format("'1', 2026-02-30: '1'"), "rates.yaml:5: 2026-02-30 is no date"),
        ("rates.yaml", RATES.format("!!int many"), "rates.yaml:5: is not what its tag says"),
        ("rates.yaml", RATES.format("'1', soon: '1'"), "rates.yaml:5: rates.EUR.soon: Invalid RFC3339"),
        ("rates.yaml", RATES.format("[")[:-1], "rates.yaml:5: did not find expected"),
        ("rates.yaml", "rates: {}", "rates.yaml:1: Object missing required field `base`"),
        ("banks.yaml", "- {title: A, bank: A}\n- {bank: A, titel: B}", "banks.yaml:2: 1.titel: Object"),
        ("competitors.yaml", "- {title: A, bank: A}\n- {title: B}", "competitors.yaml:2: 1: B: either bank or name"),
        (
            "bank.yaml",
            BANK.format("BTC\ncalendar: CN", "Asia/Shanghai"),
            "bank.yaml:1: home_currency: BTC is no ISO 4217",
        ),
        ("bank.yaml", BANK.format("CNY\ncalendar: XX", "Asia/Shanghai"), "calendar.XX.yaml is missing"),
        ("bank.yaml", BANK.format("CNY\ncalendar: CN", "Moon"), "bank.yaml:3: zone: 'Moon' is no time zone"),
        ("calendar.CN.yaml", CALENDAR, "calendar.CN.yaml:4: make_up_days: 2026-01-03 is both"),
        ("calendar.CN.yaml", "a: [", "calendar.CN.yaml:"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_its_line(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(PolicyError, match=re.escape(says)):
        load_declarations(reference=str(tmp_path))


@pytest.mark.parametrize(("encoding", "seems"), [("gbk", " (GBK, as it seems)"), ("latin-1", "")])
def test_a_file_that_is_no_utf_8_is_told_the_line_and_to_save_it_anew(
    tmp_path: Path, encoding: str, seems: str
) -> None:
    name = "\u5de5\u8d44\u94f6\u884c" if encoding == "gbk" else "Caf\u00e9"
    (tmp_path / "banks.yaml").write_bytes(f"- {{title: A, bank: A}}\n- {{title: {name}, bank: B}}\n".encode(encoding))
    says = f"banks.yaml:2: is not written in UTF-8{seems}: save it as UTF-8"
    with pytest.raises(PolicyError, match=re.escape(says)):
        load_declarations(reference=str(tmp_path))


def test_a_directory_that_is_not_there_is_refused() -> None:
    with pytest.raises(PolicyError, match="no directory"):
        load_declarations(reference="/nowhere/at/all")
