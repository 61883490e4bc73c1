"""Age and birthday, what has happened in the customer's life, where he or she lives, and what may be offered."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.reference.calendar import day_number
from tests.profile.domain.gathered import ME, POLICY, facts_told, summary_of
from tests.profile.domain.happenings import NOON, event


def on(day: str) -> int:
    return POLICY.reference.start_of(day_number(date.fromisoformat(day))) + 1


@pytest.mark.parametrize(
    ("born", "today", "age", "in_days"),
    [
        ("1988-04-12", "2026-04-12", 38, 0),
        ("1988-04-12", "2026-04-11", 37, 1),
        ("1988-04-12", "2026-04-13", 38, 364),
        ("2008-12-31", "2026-12-01", 17, 30),
        ("2004-02-29", "2026-02-28", 22, 0),
        ("2004-02-29", "2028-02-28", 23, 1),
        ("2004-02-29", "2028-02-29", 24, 0),
    ],
)
def test_age_and_the_days_to_the_next_birthday(born: str, today: str, age: int, in_days: int) -> None:
    registered = event("customer.registered", on("2020-01-01"), ME, attributes={"kind": "person", "birth_date": born})
    values = facts_told(summary_of([registered], on(today)))
    assert (values["age"], values["birthday_in_days"]) == (age, in_days)


def test_without_a_birth_date_both_are_unknown() -> None:
    registered = event("customer.registered", on("2020-01-01"), ME, attributes={"kind": "person"})
    assert {"age", "birthday_in_days"} <= set(summary_of([registered], on("2026-01-01")).facts.missing)


def test_a_companys_founding_is_no_birthday() -> None:
    told = {"kind": "company", "birth_date": "2001-01-01"}
    registered = event("customer.registered", on("2020-01-01"), ME, attributes=told)
    assert "age" in summary_of([registered], on("2026-01-01")).facts.missing


def happened(type_: str, days_ago: int, later_ms: int = 0, **told: object) -> ChannelEvent:
    at = NOON - days_ago * DAY_MS + later_ms
    return event(type_, at, ME, id=f"{type_}{at}{told}", attributes=told)


def test_the_last_life_event_is_told_with_its_days() -> None:
    lived = [happened("life_event.recorded", days, kind=kind) for kind, days in (("marriage", 400), ("birth", 10))]
    values = facts_told(summary_of(lived))
    assert (values["last_life_event"], values["days_since_life_event"], values["separated"]) == ("birth", 10, False)


@pytest.mark.parametrize("kind", ["divorce", "separation"])
def test_who_parted_from_a_partner_within_a_year_is_separated(kind: str) -> None:
    for later_ms, separated in ((1, True), (0, False)):
        parted = happened("life_event.recorded", 365, later_ms, kind=kind)
        newer = happened("life_event.recorded", 3, kind="birth")
        assert facts_told(summary_of([parted, newer]))["separated"] is separated


def test_a_move_out_of_the_branches_reach_is_told_until_the_next_one_back() -> None:
    away, back = (happened("address.changed", days, outside_footprint=days == 9) for days in (9, 2))
    values = facts_told(summary_of([away]))
    assert (values["days_since_move"], values["outside_footprint"]) == (9, True)
    values = facts_told(summary_of([away, back]))
    assert (values["days_since_move"], values["outside_footprint"]) == (2, False)


def test_a_move_of_which_nobody_said_that_it_led_out_of_reach_leads_there_no_more() -> None:
    away, on = happened("address.changed", 9, outside_footprint=True), happened("address.changed", 2)
    assert facts_told(summary_of([away, on]))["outside_footprint"] is False


def test_a_consent_holds_until_its_end_and_is_no_refusal_then() -> None:
    end = NOON + DAY_MS
    given = happened("consent.given", 9, purpose="marketing", until=end)
    names = ("marketing_consent", "marketing_refused")
    for now, agreed in ((end - 1, True), (end, False)):
        summary = summary_of([given], now)
        assert tuple(facts_told(summary)[name] for name in names) == (agreed, False)
        assert ("marketing" in summary.body["consents"]) is agreed
    assert [one.at for one in summary_of([given]).due if one.kind == "consent_ended"] == [end]
    mail = happened("consent.given", 10, purpose="marketing", contact_channel="email")
    assert facts_told(summary_of([mail, given], end))["marketing_consent"] is False, "the later one said it anew"


def test_special_care_lasts_until_its_end() -> None:
    end = NOON + DAY_MS
    flagged = happened("vulnerability.flagged", 9, until=end)
    assert [facts_told(summary_of([flagged], now))["vulnerable"] for now in (end - 1, end)] == [True, False]
    assert [one.at for one in summary_of([flagged]).due if one.kind == "vulnerable_ended"] == [end]


def test_selling_is_allowed_by_a_consent_on_any_channel_unless_all_are_refused() -> None:
    mail = happened("consent.given", 9, purpose="marketing", contact_channel="email")
    phone = happened("consent.withdrawn", 8, purpose="marketing", contact_channel="phone")
    never = happened("consent.withdrawn", 7, purpose="marketing")
    told = [
        (values["marketing_consent"], values["marketing_refused"], values["marketing_channels_refused"])
        for values in (facts_told(summary_of(said)) for said in ([mail, phone], [mail, phone, never], [phone]))
    ]
    assert told == [(True, False, 1), (False, True, 2), (False, False, 1)]


class Said(NamedTuple):
    """`lasts`: for how many days, where it was agreed to for a time."""

    party: str
    channel: str
    agreed: bool
    lasts: int | None


SAID = st.builds(
    Said, st.sampled_from([ME, "party:2"]), st.sampled_from(["*", "sms", "email"]), st.booleans(),
    st.none() | st.integers(1, 9),
)  # fmt: skip


def heard_of(days: int, said: Said) -> ChannelEvent:
    about = {} if said.channel == "*" else {"contact_channel": said.channel}
    until = {} if said.lasts is None else {"until": NOON + (said.lasts - days) * DAY_MS}
    kind = "consent.given" if said.agreed else "consent.withdrawn"
    told = {"purpose": "marketing", **about, **until}
    return event(kind, NOON - days * DAY_MS, said.party, id=f"{days}", attributes=told)


def last_words(told: Sequence[Said], channel: str) -> list[bool]:
    """Of each number that spoke of the channel, as a clerk would look them up: `told` is a day apart, the newest
    first. What was agreed to for a time that is over says nothing."""
    words = []
    for party in {one.party for one in told if one.channel == channel}:
        days, last = next(
            (days, one) for days, one in enumerate(told, 1) if one.party == party and one.channel in (channel, "*")
        )
        if not (last.agreed and last.lasts is not None and last.lasts <= days):
            words.append(last.agreed)
    return words


@given(st.lists(SAID, max_size=8))
def test_of_each_number_the_last_word_on_a_channel_counts_and_any_no_stands_before_a_yes(told: list[Said]) -> None:
    everywhere, sms, mail = (last_words(told, channel) for channel in ("*", "sms", "email"))
    agreed = [bool(words) and all(words) for words in (everywhere, sms, mail)]
    events = [happened("customer.registered", 400), *(heard_of(days, one) for days, one in enumerate(told, 1))]
    values = facts_told(summary_of(events))
    assert values["marketing_refused"] is (False in everywhere)
    assert values["marketing_consent"] is (any(agreed) and False not in everywhere)
    assert values["marketing_channels_refused"] == sum(False in words for words in (sms, mail))
