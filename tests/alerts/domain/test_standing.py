"""What is remembered of a customer between two statements: what was said, until when it stays said, and what rests."""

from typing import Any

import pytest

from services.alerts.domain.alert import Alert, alert_id
from services.alerts.domain.judging import judge
from services.alerts.domain.lifecycle import Actor, StepRequest, act
from services.alerts.domain.rules import Text
from services.alerts.domain.settling import FLICKER_MS, settle
from services.alerts.domain.standing import Firing
from tests.alerts.domain.test_settling import OWED, Customer
from tests.alerts.told import CEL, COMPLAINT, DAY, HOUR, MISSED, NOON, OUTFLOW, SAVINGS, moment, rule, statement, terms

FIRST = NOON + HOUR
OWING = rule("R14", situation="service_trouble", when=("salary_missed >= 2.0",), stays_said_days=7, cooldown_days=0)
GRAVER = rule(
    "R4",
    when=("salary_missed >= 1.0",),
    severity="salary_missed >= 2.0 ? 3.0 : 2.0",
    reason=Text("{salary_missed}", ""),
)


def claimed(customer: Customer) -> Alert:
    act(customer.alerts[0], StepRequest("claim"), Actor("Li"), frozenset(), FIRST)
    return customer.alerts[0]


def test_a_statement_is_remembered_by_version_time_and_kind() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(3, at=NOON, kind="company"))
    assert (customer.standing.version, customer.standing.as_of, customer.standing.kind) == (3, NOON, "company")


def test_an_alert_that_is_over_is_joined_by_nothing_though_it_is_at_hand() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2))
    change = statement(3, moments=[moment("a", NOON)])
    settled = settle(change, customer.standing, customer.alerts, judge(change, customer.rules, CEL), customer.terms)
    assert [one.rules for one in settled.changed] == [[("R1", 1)]]


@pytest.mark.parametrize("between", [{}, {"missing": ["salary_missed"]}])
def test_what_went_and_came_again_in_its_time_has_held_all_along_though_that_has_passed(
    between: dict[str, Any],
) -> None:
    customer = Customer(OWING)
    customer.takes(statement(1, salary_missed=2.0))
    customer.takes(statement(2, at=NOON + DAY, **between))
    if not between:
        customer.takes(statement(3, at=NOON + 2 * DAY, salary_missed=2.0))
    customer.alerts[0].state = "closed"
    assert customer.takes(statement(4, at=NOON + 9 * DAY, salary_missed=2.0)).fired == 0


@pytest.mark.parametrize(
    ("at", "merged", "is_beyond"), [(NOON, (), True), (NOON + 1, (), False), (NOON, ("a",), False)]
)
def test_up_to_the_instant_of_a_merge_a_statement_says_nothing_of_the_other_unless_it_names_that_one(
    at: int, merged: tuple[str, ...], is_beyond: bool
) -> None:
    firing = Firing("R1", origin="a", handed_at=NOON)
    assert firing.is_beyond(statement(1, "b", at=at, merged=list(merged))) is is_beyond


def test_what_stays_said_does_so_until_its_very_end() -> None:
    end = FIRST + 7 * DAY
    for at, is_said in ((end - 1, True), (end, False)):
        customer = Customer(OWING)
        customer.takes(statement(1, salary_missed=2.0))
        customer.takes(statement(2, at=at))
        assert bool(customer.standing.firings) is is_said
        customer.takes(statement(3, at=end, salary_missed=2.0))
        assert customer.standing.firings["R14|"].window_until == end + 7 * DAY


def test_a_paused_rule_raises_nothing_and_says_it_all_when_it_is_let() -> None:
    customer = Customer(MISSED)
    usual, customer.terms = customer.terms, customer.terms._replace(paused=frozenset({"R4"}))
    assert customer.takes(statement(1, **OWED)).suppressed == 1
    assert (customer.alerts, customer.standing.firings) == ([], {})
    customer.terms = usual
    customer.takes(statement(2, **OWED))
    assert customer.states == ["new"]


@pytest.mark.parametrize(
    ("happened", "told", "speaks"),
    [(30 * DAY - 1, 30 * DAY, False), (30 * DAY, 30 * DAY, True), (29 * DAY, 31 * DAY, False)],
)
def test_a_cooldown_ends_with_its_last_moment_by_when_things_happened_and_not_by_when_they_were_told(
    happened: int, told: int, speaks: bool
) -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)]))
    customer.alerts[0].state = "closed"
    settled = customer.takes(statement(2, at=NOON + told, moments=[moment("b", NOON + happened)]))
    assert settled.fired == speaks


def test_what_is_taken_back_leaves_the_cooldown_that_ran_before_it() -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)]))
    customer.alerts[0].state = "closed"
    later = NOON + 31 * DAY
    customer.takes(statement(2, at=later, moments=[moment("b", later)]))
    assert customer.standing.cooled["R1"] == later + 30 * DAY
    customer.takes(statement(3, at=later + HOUR))
    assert (customer.states, customer.standing.cooled["R1"]) == (["closed", "withdrawn"], NOON + 30 * DAY)


def test_what_had_grown_graver_and_comes_again_soon_is_as_grave_as_it_last_was() -> None:
    customer = Customer(GRAVER, OUTFLOW)
    debit = [moment("a", NOON)]
    customer.takes(statement(1, moments=debit, salary_missed=1.0))
    customer.takes(statement(2, moments=debit, salary_missed=2.0))
    customer.takes(statement(3, moments=debit))
    customer.takes(statement(4, moments=debit, salary_missed=2.0))
    alert = customer.alerts[0]
    assert [(one.rule, one.severity) for one in alert.current_evidence()] == [("R1", 2), ("R4", 3)]
    assert len(alert.evidence) == 3
    customer.takes(statement(5, moments=debit))
    assert alert.history[-1].note.startswith("R4 no longer holds: salary_missed was 2, is 0")


def test_what_comes_again_soon_and_graver_is_told_as_grave_as_it_is() -> None:
    customer = Customer(GRAVER)
    customer.takes(statement(1, salary_missed=1.0))
    alert = claimed(customer)
    customer.takes(statement(2))
    customer.takes(statement(3, salary_missed=2.0))
    assert [(one.severity, one.goes_on) for one in alert.current_evidence()] == [(3, True)]


def test_a_piece_that_goes_on_is_said_of_whom_the_first_was() -> None:
    customer = Customer(GRAVER)
    customer.takes(statement(1, salary_missed=1.0))
    customer.alerts[0].evidence[0].origin = "c2"
    customer.takes(statement(2, salary_missed=2.0))
    assert [one.origin for one in customer.alerts[0].evidence] == ["c2", "c2"]


def test_what_an_alert_holds_already_is_taken_up_again_and_not_told_twice() -> None:
    """Of two who became one, or part, what was acted on may be known to the alert alone."""
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    customer.standing.firings.clear()
    assert customer.takes(statement(2, **OWED)).fired == 0
    assert len(customer.alerts[0].evidence) == 1
    customer.takes(statement(3))
    assert customer.states == ["withdrawn"]


@pytest.mark.parametrize(("gap", "pieces"), [(FLICKER_MS, 1), (FLICKER_MS + 1, 2)])
def test_a_gap_of_two_days_may_be_of_events_that_came_late_and_a_longer_one_is_told(gap: int, pieces: int) -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    alert = claimed(customer)
    customer.takes(statement(2))
    customer.takes(statement(3, at=NOON + 2 * HOUR + gap, **OWED))
    assert len(alert.evidence) == pieces


@pytest.mark.parametrize(("after", "goes_on"), [(30 * DAY - 1, True), (30 * DAY, False)])
def test_within_its_cooldown_from_when_it_was_first_seen_a_word_goes_on_and_then_it_is_another(
    after: int, goes_on: bool
) -> None:
    customer = Customer(GRAVER)
    customer.takes(statement(1, salary_missed=1.0))
    alert = claimed(customer)
    customer.takes(statement(2, at=FIRST + 10 * DAY, salary_missed=2.0))
    customer.takes(statement(3, at=FIRST + 11 * DAY))
    customer.takes(statement(4, at=FIRST + after, salary_missed=2.0))
    assert [one.goes_on for one in alert.evidence] == [False, True, goes_on]


def test_only_rules_of_absence_count_towards_a_burst() -> None:
    absence = rule("R5", when=("has_salary",), depends_on=("salary",))
    assert Customer(MISSED, absence).takes(statement(1, **OWED)).absences == ["R5"]


def test_an_alert_expires_by_when_it_was_told_and_not_by_when_it_happened() -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON - 5 * DAY)]))
    assert customer.alerts[0].expires_at == FIRST + 30 * DAY


def test_what_a_guard_lets_go_on_is_among_what_has_changed() -> None:
    customer = Customer(SAVINGS, COMPLAINT, on=terms())
    customer.takes(statement(1, balance_total=5e3, complaint_open=True))
    assert customer.takes(statement(2, balance_total=5e3)).changed == customer.alerts


def test_every_release_gives_an_alert_the_same_id() -> None:
    """What is judged again after the database was set back would else come twice."""
    assert alert_id("c1", "leaving", 2) == "al_de790abb5b768106c474ff85"
