"""Where alerts go, when each place may be spoken to, and what is wrong with a declaration."""

from datetime import datetime
from typing import Any

import pytest

from schemas.instants import millis
from services.alerts.domain.destinations import (
    Declared,
    Happening,
    digest_due,
    mistakes,
    quiet_until,
    url_with,
    variables,
    wants,
    without_addresses,
)
from tests.alerts.destined import HOUR, NOON, destination, mail

TEAM = {"kind": "wecom", "url": "https://qyapi.example/send?key=${WECOM_KEY}", "secret": ""}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, True), ({"enabled": False}, False), ({"steps": ["opened"]}, False), ({"kinds": ["upsell"]}, False),
        ({"kinds": ["upsell", "retention"]}, True), ({"severity_at_least": 2}, True), ({"severity_at_least": 3}, False),
        ({"owners": ["M-1"]}, True), ({"owners": ["M-2"]}, False),
    ],
)  # fmt: skip
def test_a_destination_takes_what_it_was_declared_for(given: dict[str, Any], wanted: bool) -> None:
    assert (wants(destination(**given), "retention", 2, "M-1", "routed") is not None) == wanted


@pytest.mark.parametrize(
    ("happening", "system", "people"),
    [("opened", True, False), ("routed", True, True), ("reminded", True, True), ("escalated", True, True),
     ("withdrawn", True, False), ("closed", True, False)],
)  # fmt: skip
def test_without_steps_a_system_hears_everything_and_people_what_asks_something_of_them(
    happening: Happening, system: bool, people: bool
) -> None:
    heard = [
        wants(one, "retention", 2, "M-1", happening) is not None for one in (destination(steps=None), mail(steps=None))
    ]
    assert heard == [system, people]


def test_a_mail_goes_to_the_owner_or_to_the_address_for_everybody_else() -> None:
    given = mail(people={"M-1": "ada@bank.example"})
    told = [wants(given, "retention", 2, owner, "routed") for owner in ("M-1", "queue:B-7")]
    assert told == ["ada@bank.example", "b@bank.example"]


def test_a_mail_without_anybody_to_go_to_is_not_wanted() -> None:
    assert wants(mail(address="", people={"M-2": "x@bank.example"}), "retention", 2, "M-1", "routed") is None


@pytest.mark.parametrize(
    ("quiet", "hours_until"),
    [("", 0), ("20:00-08:00", 0), ("11:00-13:30", 1.5), ("12:00-12:30", 0.5), ("11:00-12:00", 0), ("13:00-12:30", 0.5)],
)
def test_quiet_hours_end_when_they_are_declared_to(quiet: str, hours_until: float) -> None:
    """It is noon there."""
    assert quiet_until(destination(quiet=quiet), NOON) == (NOON + hours_until * HOUR if hours_until else 0)


def test_quiet_hours_over_midnight_end_in_the_morning_from_both_sides() -> None:
    night = destination(quiet="20:00-08:00")
    assert quiet_until(night, NOON + 9 * HOUR) == NOON + 20 * HOUR
    assert quiet_until(night, NOON + 19 * HOUR) == NOON + 20 * HOUR
    assert quiet_until(night, NOON + 20 * HOUR) == 0


def test_a_digest_is_due_at_its_local_time_through_a_change_of_the_clocks() -> None:
    daily = mail(digest_at="08:30", zone="Europe/Berlin")
    saturday_noon = 1_774_695_600_000  # 2026-03-28 12:00 in Berlin; that night the clocks go forward
    assert digest_due(daily, saturday_noon) == saturday_noon + 19 * HOUR + HOUR // 2
    assert digest_due(mail(), NOON) == NOON


@pytest.mark.parametrize(
    ("digest_at", "hours"), [("12:01", 1 / 60), ("12:00", 24), ("11:59", 24 - 1 / 60), ("23:59", 12 - 1 / 60)]
)
def test_a_digest_is_due_the_next_time_that_clocks_there_show_its_minute(digest_at: str, hours: float) -> None:
    assert digest_due(mail(digest_at=digest_at), NOON) == NOON + round(hours * HOUR)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00"),  # clocks jump over it
        ("2026-03-29T03:10+02:00", "2026-03-30T02:30+02:00"),
        ("2026-10-25T02:10+02:00", "2026-10-25T02:30+02:00"),  # it is shown twice
        ("2026-10-25T02:10+01:00", "2026-10-25T02:30+01:00"),
        ("2026-10-25T02:40+01:00", "2026-10-26T02:30+01:00"),
    ],
)
def test_a_minute_that_clocks_jump_over_has_come_when_they_do(now: str, due: str) -> None:
    at, then = (millis(datetime.fromisoformat(one)) for one in (now, due))
    assert digest_due(mail(digest_at="02:30", zone="Europe/Prague"), at) == then


def test_quiet_hours_are_over_once_clocks_have_jumped_over_their_end() -> None:
    late, over = (millis(datetime.fromisoformat(f"2026-03-29T{one}")) for one in ("01:50+01:00", "03:00+02:00"))
    night = mail(quiet="22:00-02:30", zone="Europe/Prague")
    assert (quiet_until(night, late), quiet_until(night, over)) == (over, 0)


def test_secrets_come_from_the_environment_by_name() -> None:
    team = destination(**TEAM)
    assert variables(team) == {"WECOM_KEY"}
    assert variables(destination()) == {"CRM_SECRET"}
    assert url_with(team, {"WECOM_KEY": "k"}) == "https://qyapi.example/send?key=k"


@pytest.mark.parametrize("given", [{}, TEAM, {"quiet": "20:00-08:00", "networks": ["10.1.2.0/24"]}])
def test_a_sound_declaration_has_no_mistake(given: dict[str, Any]) -> None:
    assert list(mistakes(destination(**given))) == []
    assert list(mistakes(mail(digest_at="08:30"))) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"destination_id": "My CRM"}, "id"), ({"url": "ftp://x"}, "url"), ({"url": "http://crm.bank.example"}, "url"),
        ({"url": "https://x?key=hunter2"}, "url"), ({"url": "https://x?access_token=hunter2"}, "url"),
        ({"url": "https://ada:hunter2@x"}, "url"), ({"secret": ""}, "secret"), ({"secret": "whsec_abc="}, "secret"),
        ({"steps": []}, "steps"), ({"most_an_hour": -1}, "most_an_hour"), ({"digest_at": "08:30"}, "digest_at"),
        ({"digest_at": "24:00", **TEAM}, "digest_at"), ({"quiet": "20-8"}, "quiet"),
        ({"quiet": "08:00-08:00"}, "quiet"),
        ({"zone": "Mars/Olympus"}, "zone"), ({"networks": ["10.1.2"]}, "networks"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field_and_repeats_no_secret(given: dict[str, Any], field: str) -> None:
    [(where, what)] = mistakes(destination(**given))
    assert where == field
    assert "hunter2" not in what


@pytest.mark.parametrize(("given", "field"), [
    ({"address": ""}, "address"), ({"sender": "us"}, "sender"), ({"address": "wang lei"}, "address"),
    ({"people": {"M-1": "wang.lei"}}, "people.M-1"), ({"people": {"M-1": "a@b.cn\r\nBcc: c@d.cn"}}, "people.M-1"),
    ({"people": {"M-1": "王磊@bank.example"}}, "people.M-1"), ({"sender": "提醒 <王磊@bank.example>"}, "sender"),
])  # fmt: skip
def test_a_mail_needs_both_ends(given: dict[str, Any], field: str) -> None:
    assert [where for where, _ in mistakes(mail(**given))] == [field]


def test_of_mail_addresses_only_the_place_is_kept() -> None:
    told = mail(address="desk@bank.example", people={"M-1": "li.na@branch.example"})
    [kept] = without_addresses(Declared((told,))).destinations
    assert (kept.address, kept.people) == ("…@bank.example", {"M-1": "…@branch.example"})
    assert kept.url == told.url
