"""A customer on one page of a terminal: all that is known, and nothing that is at rest."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from services.cli.customers.tables import EVENT_COLUMNS, FOUND_COLUMNS, SECTIONS, print_view
from services.cli.customers.words import headed, worded

VIEW: dict[str, Any] = {
    "up_to_date": True,
    "customer_id": "cus_1",
    "version": 3,
    "kind": "person",
    "tier": "gold",
    "mandates": [{"mandate_id": "SO-1", "status": "active"}],
    "consents": {"marketing": {"sms": {"given": False, "as_of": "2026-11-20T01:00:00Z"}}},
    "household": {"number": "H-1", "members": 2, "assets": {"value": "900.00", "currency": "CNY"}},
    "assets": {"total": {"value": "800.00", "currency": "CNY"}, "band": "near", "direction": "rising"},
    "value": {"score": 71, "dimensions": [{"name": "potential", "points": 55, "weight": 20}]},
    "behaviour": {
        "salary": {
            "payer": "ICBC/1",
            "payer_name": "Acme",
            "period": "monthly",
            "median": {"value": "10000.00", "currency": "CNY"},
            "next_due": "2026-12-10",
        },
        "inflow": {"median": {"value": "5000.00", "currency": "CNY"}, "spread": {"value": "20.00", "currency": "CNY"}},
        "logins": {"median_gap_days": 4},
    },
    "measures": {
        "outflow_7d": {"value": "70.00", "currency": "CNY"},
        "inflow_7d": {"value": "0.00", "currency": "CNY"},
        "logins_30d": 7,
        "declines_7d": 0,
    },
}


def page(view: dict[str, Any], language: str = "en") -> str:
    out = StringIO()
    print_view(Console(file=out, width=200), view, language)
    return out.getvalue()


def test_what_was_learned_and_judged_of_a_customer_is_on_the_page() -> None:
    shown = page(VIEW)
    for part in (
        "Score: 71   Assets: 800.00 CNY   Private banking: near   Direction: rising   Household: H-1, 2 members",
        "monthly from Acme, next due 2026-12-10", "a month, give or take 20.00 CNY", "every 4 days",
        "potential", "marketing sms", "SO-1", "outflow_7d", "logins_30d",
    ):  # fmt: skip
        assert part in shown, part


def test_the_same_page_stands_under_chinese_headings_for_who_reads_chinese() -> None:
    shown = page(VIEW | {"up_to_date": False, "erased_at": "2026-11-22T00:00:00Z", "silent_sources": ["atm"]}, "zh")
    for part in (
        "类别: person   等级: gold", "评分: 71   资产: 800.00 CNY", "家庭: H-1，2 名成员",  # noqa: RUF001 - Chinese punctuation
        "monthly，付款方 Acme，下次应在 2026-12-10",  # noqa: RUF001 - Chinese punctuation
        "每月，上下浮动 20.00 CNY", "每 4 天", "┃ 行为习惯", "│ 工资",  # noqa: RUF001 - Chinese punctuation
        "支付授权", "授权同意", "价值", "非零指标", "不是最新", "已于 2026-11-22 00:00:00Z 擦除",
        "无数据的时间超出其节奏：atm",  # noqa: RUF001 - Chinese punctuation
    ):  # fmt: skip
        assert part in shown, part
    assert not [word for word in ("Kind", "Score", "Mandate", "Usually", "salary", "members") if word in shown]


@pytest.mark.parametrize("columns", [FOUND_COLUMNS, EVENT_COLUMNS, *(columns for _, _, columns in SECTIONS)])
def test_every_heading_has_a_chinese_word(columns: dict[str, str]) -> None:
    assert not any(heading.isascii() for heading in headed(columns, "zh").values())
    assert headed(columns, "en") == columns


def test_every_title_of_a_part_of_the_page_has_a_chinese_word() -> None:
    assert not any(worded(title, "zh").isascii() for title, _, _ in SECTIONS)


def test_a_column_without_room_is_told_of_in_the_language_of_the_page() -> None:
    out = StringIO()
    ended = {"account_no": "6001000000017", "role": "joint", "until": "2026-11-22T00:00:00Z", "status": "closed"}
    print_view(Console(file=out, width=40), LITTLE | {"accounts": [ended]}, "zh")
    assert "略去: " in out.getvalue()


def test_of_an_erased_customer_the_page_says_that_and_when() -> None:
    assert "erased" not in page(VIEW)
    assert "erased 2026-11-22 00:00:00Z: nothing personal" in page(VIEW | {"erased_at": "2026-11-22T00:00:00Z"})


def test_an_account_or_number_that_is_no_longer_somebodys_says_until_when() -> None:
    ended = {"role": "joint", "since": "2026-11-01T00:00:00Z", "until": "2026-11-22T00:00:00Z"}
    for section in ({"accounts": [{"account_no": "6001", **ended}]}, {"identifiers": [{"kind": "phone", **ended}]}):
        shown = page(VIEW | section)
        assert "Until" in shown
        assert "2026-11-22 00:00:00Z" in shown
    assert "Until" not in page(VIEW | {"accounts": [{"account_no": "6001", "role": "owner", "until": None}]})


def test_a_total_without_what_has_no_rate_says_so() -> None:
    assets = {"total": {"value": "800.00", "currency": "CNY"}, "unconverted": ["THB"], "band": None}
    assert "Assets: 800.00 CNY   No rate for: THB   Direction: unknown" in page(
        VIEW | {"assets": assets | {"direction": "unknown"}}
    )


def test_a_total_without_an_account_whose_balance_nobody_told_says_so() -> None:
    assets = {"total": {"value": "800.00", "currency": "CNY"}, "untold": ["account:6001", "account:6002"], "band": None}
    assert "Assets: 800.00 CNY   No balance told of: 6001, 6002" in page(VIEW | {"assets": assets})


def test_times_are_shown_to_the_second_as_in_every_other_table() -> None:
    called = {"at": "2026-11-07T02:32:24.645Z", "channel": "call_center", "reason": "fee", "outcome": "unsolved"}
    shown = page(VIEW | {"contacts": [called], "complete_up_to": {"atm": "2026-11-20T01:00:00Z"}})
    assert "│ 2026-11-07 02:32:24Z │ call_center" in shown
    assert "│ atm            │ 2026-11-20 01:00:00Z │" in shown


def test_a_measure_of_which_all_has_no_rate_is_not_at_rest_and_says_so() -> None:
    left_out = {"value": "0.00", "currency": "CNY", "unconverted": ["ISK", "XAF"]}
    shown = page(VIEW | {"measures": {"outflow_30d": left_out, "logins_30d": 7}})
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines()]
    assert ["outflow_30d", "0.00 CNY", "ISK, XAF"] in rows
    assert "No rate for" not in page(VIEW)


def test_who_it_is_and_what_is_raised_stands_on_top() -> None:
    top = {
        "person": {"name": {"value": "Li Na", "source": "core"}},
        "owner": {"manager_id": "M-1", "since": "2026-11-01T00:00:00Z"},
        "flags": {"complaint_open": True, "vulnerable": False, "fraud_case": True},
    }
    lines = page(LITTLE | top).splitlines()
    assert lines[0] == "Li Na  cus_1"
    assert lines[1] == "Kind: anonymous   Tier: -   Owner: M-1   Flags: complaint_open, fraud_case"


def test_how_somebody_comes_and_what_he_or_she_prefers_is_on_the_page() -> None:
    channels = {"atm": {"first_at": "2026-11-01T00:00:00Z", "last_at": "2026-11-20T01:00:00Z", "count": 41}}
    shown = page(LITTLE | {"channels": channels, "preferences": {"language": {"value": "zh", "as_of": None}}})
    assert "│ atm      │ 2026-11-01 00:00:00Z │ 2026-11-20 01:00:00Z │ 41     │" in shown
    assert "│ language   │ zh    │" in shown


def test_a_measure_at_rest_takes_no_line() -> None:
    assert "inflow_7d" not in page(VIEW)
    assert "declines_7d" not in page(VIEW)


LITTLE = {"customer_id": "cus_1", "version": 1, "up_to_date": True, "kind": "anonymous", "tier": None}


def test_a_customer_of_whom_little_is_known_has_a_short_page() -> None:
    assert len(page(LITTLE).splitlines()) == 2


def test_a_page_that_is_not_up_to_date_says_so() -> None:
    assert "not up to date" in page(LITTLE | {"up_to_date": False})
    assert "not up to date" not in page(LITTLE)
