"""What a statement changes in the alerts of its customer."""

from typing import Any

import pytest

from schemas.changes import ProfileChange
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import Rule
from services.alerts.domain.judging import judge
from services.alerts.domain.lifecycle import Actor, StepRequest, act
from services.alerts.domain.retracting import retract
from services.alerts.domain.routing import give
from services.alerts.domain.rules import Desk, Text
from services.alerts.domain.settling import Settled, settle
from services.alerts.domain.standing import Standing
from services.alerts.domain.terms import Changed, Terms
from services.alerts.domain.weighing import is_worth_more
from tests.alerts.told import (
    CEL,
    COMPLAINT,
    DAY,
    HOUR,
    MISSED,
    NOON,
    OUTFLOW,
    SAVINGS,
    moment,
    rule,
    rules,
    statement,
    terms,
)

OWED: dict[str, Any] = {"has_salary": True, "salary_missed": 1.0, "assets": 5e5}
WITHOUT_ASSETS: dict[str, Any] = {"has_salary": True, "salary_missed": 1.0, "missing": ["assets"]}


COUNTED = rule(
    "R4", when=("salary_missed >= 1.0",), severity="2.0", evidence=("assets",),
    reason=Text("{salary_missed} {salary_missed|payday|paydays} missed", "{salary_missed} 期未到账"),
)  # fmt: skip
SEVERAL = rule(
    "R23", when=("complaint_open",), evidence=("assets",),
    reason=Text("Several signs:[ {salary_missed} paydays]", "多项信号:[{salary_missed} 期]"),
)  # fmt: skip
FRAUD = rule(
    "R12", when=("fraud_case",), evidence=("salary_missed",),
    reason=Text("A case of fraud[, {salary_missed>=3} paydays missed]", "欺诈案件[,{salary_missed>=3} 期未到账]"),
)  # fmt: skip


class Customer:
    """Takes statements one after another, as the service does."""

    def __init__(self, *given: Rule, on: Terms | None = None) -> None:
        self.rules, self.terms = rules(*given), on or terms()
        self.standing, self.alerts = Standing(), list[Alert]()

    def takes(self, change: ProfileChange) -> Settled:
        open_now = [one for one in self.alerts if one.is_open]
        settled = settle(change, self.standing, open_now, judge(change, self.rules, CEL), self.terms)
        known = {one.alert_id for one in self.alerts}
        self.alerts += [one for one in settled.changed if one.alert_id not in known]
        return settled

    @property
    def states(self) -> list[str]:
        return [one.state for one in self.alerts]


def test_a_rule_that_begins_to_hold_opens_an_alert_with_its_evidence() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    (alert,) = customer.alerts
    assert (alert.situation, alert.kind, alert.severity, alert.value) == ("leaving", "retention", 1, 5e5)
    assert alert.evidence[0].values == {"assets": 5e5, "has_salary": True, "salary_missed": 1.0}
    assert alert.evidence[0].rule_version == 1
    assert alert.reason.en == "R4 holds"


def test_alerts_of_a_situation_are_counted_and_come_back_under_their_ids_though_the_statements_are_others() -> None:
    """So whoever holds an id of an alert finds it again after the database was set back and worked the day again."""
    upset = rule("R14", situation="service_trouble", when=("complaint_open",))
    first, again = Customer(MISSED, upset), Customer(MISSED, upset)
    for version, facts in enumerate((OWED, {}, OWED | {"complaint_open": True}), 1):
        first.takes(statement(version, **facts))
    for version, facts in enumerate(({"complaint_open": True}, OWED | {"complaint_open": True}, {}, OWED), 7):
        again.takes(statement(version, **facts))
    known = [{(one.situation, one.alert_id) for one in customer.alerts} for customer in (first, again)]
    assert (len(known[0]), len(first.alerts)) == (3, 3)
    assert known[0] == known[1]


def test_the_same_fact_told_again_raises_nothing_new() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    assert customer.takes(statement(2, **OWED)).changed == []


def test_rules_of_one_situation_join_one_alert_and_raise_it() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2, moments=[moment("a", NOON)], **OWED))
    (alert,) = customer.alerts
    assert alert.rules == [("R4", 1), ("R1", 1)]
    assert alert.severity == 2
    assert alert.title.en == "R1"
    assert alert.reason.en == "R1 holds. R4 holds"


def test_of_what_a_rule_says_several_times_the_greatest_is_told_and_how_many_more_there_are() -> None:
    paid = rule(
        "R1", on="large_debit", when=("moment.external",), value_at_stake="moment.amount_home",
        reason=Text("{moment.amount_home} left", "流出 {moment.amount_home}"),
    )  # fmt: skip
    customer = Customer(paid, MISSED)
    sums = {"a": 3e4, "b": 7e4, "c": 5e4}
    left = [moment(key, NOON, external=True, amount_home=amount) for key, amount in sums.items()]
    customer.takes(statement(1, moments=left, **OWED))
    (alert,) = customer.alerts
    assert alert.reason == Text("70,000 left (and 2 more like it). R4 holds", "流出 70,000\uff08另有 2 次\uff09。R4")


def test_a_figure_that_another_rule_tells_otherwise_since_is_told_with_its_time() -> None:
    customer = Customer(COUNTED, SEVERAL)
    customer.takes(statement(1, salary_missed=1.0))
    (alert,) = customer.alerts
    assert alert.reason == Text("1 payday missed", "1 期未到账")
    customer.takes(statement(2, salary_missed=2.0, complaint_open=True))
    assert alert.reason == Text(
        "1 payday missed (as of 2026-11-23 13:00). Several signs: 2 paydays",
        "1 期未到账\uff08截至 2026-11-23 13:00\uff09。多项信号:2 期",
    )
    customer.takes(statement(3, at=NOON + 5 * DAY, salary_missed=2.0))
    assert alert.reason == Text("1 payday missed", "1 期未到账")


@pytest.mark.parametrize("later", [
    {"salary_missed": 1.0, "complaint_open": True},
    {"salary_missed": 1.0, "complaint_open": True, "assets": 9e5},
    {"salary_missed": 2.0, "fraud_case": True},
])  # fmt: skip
def test_as_long_as_no_sentence_tells_another_figure_none_has_a_time(later: dict[str, Any]) -> None:
    """Which figures were only kept beside the texts makes no difference, nor what a clause leaves out."""
    customer = Customer(COUNTED, SEVERAL, FRAUD)
    customer.takes(statement(1, salary_missed=1.0, assets=5e5))
    customer.takes(statement(2, **later))
    (alert,) = customer.alerts
    assert ("as of" in alert.reason.en, len(alert.current_evidence())) == (False, 2)


def test_when_the_gravest_evidence_ends_the_alert_is_what_the_rest_makes_of_it() -> None:
    outflow = rule(
        "R1", on="large_debit", when=("moment.external",), severity="3.0", value_at_stake="moment.amount_home * 100.0",
        respond_within_hours=4, owner_role="care", suggested=Text("call at once", ""), must_not_say=Text("R1", ""),
    )  # fmt: skip
    customer = Customer(MISSED, outflow)
    customer.takes(statement(1, **OWED))
    (alert,) = customer.alerts
    before = weight_of(alert)
    customer.takes(statement(2, moments=[moment("a", NOON)], **OWED))
    assert weight_of(alert) != before
    customer.takes(statement(3, **OWED))
    assert weight_of(alert) == before
    assert alert.history[-1].action == "evidence_ended"
    assert alert.history[-1].note.endswith("; severity 1 is left")


def weight_of(alert: Alert) -> tuple[Any, ...]:
    return (
        alert.title, alert.reason, alert.severity, alert.grade, alert.value, alert.rank, alert.role, alert.suggested,
        alert.may_say, alert.must_not_say, alert.respond_within_hours, alert.expires_at,
    )  # fmt: skip


def test_a_promise_to_answer_is_not_put_off_when_the_gravest_evidence_ends() -> None:
    urgent = rule("R1", on="large_debit", when=("moment.external",), severity="3.0", respond_within_hours=2)
    customer = Customer(MISSED, urgent)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    (alert,) = customer.alerts
    give(alert, customer.terms, NOON + 1 * HOUR)
    due = alert.due_at
    customer.takes(statement(2, **OWED))
    assert (alert.title.en, alert.due_at) == ("R4", due)


def test_graver_evidence_shortens_the_time_to_answer_that_somebody_has_and_raises_the_grade() -> None:
    urgent = rule("R1", on="large_debit", when=("moment.external",), severity="3.0", respond_within_hours=2)
    slow = rule("R16", when=("fraud_case",), respond_within_hours=40)
    customer = Customer(MISSED, urgent, slow)
    customer.takes(statement(1, **OWED))
    (alert,) = customer.alerts
    give(alert, customer.terms, NOON + HOUR)
    alert.state = "routed"
    promised, grade = alert.due_at, alert.grade
    customer.takes(statement(2, fraud_case=True, **OWED))
    assert (alert.due_at, alert.respond_within_hours, alert.grade) == (promised, 16, grade)
    customer.takes(statement(3, moments=[moment("a", NOON)], **OWED))
    assert (alert.due_at, alert.respond_within_hours) == (NOON + 2 * HOUR, 2)  # a gold customer's: half of it
    assert (grade, alert.grade) == ("B", "A")


def test_graver_evidence_leaves_the_time_in_which_to_note_what_came_of_a_contact() -> None:
    urgent = rule("R1", on="large_debit", when=("moment.external",), severity="3.0", respond_within_hours=2)
    customer = Customer(MISSED, urgent)
    customer.takes(statement(1, **OWED))
    (alert,) = customer.alerts
    give(alert, customer.terms, NOON + HOUR)
    alert.state, alert.due_at = "contacted", NOON + 5 * DAY
    customer.takes(statement(2, moments=[moment("a", NOON)], **OWED))
    assert (alert.severity, alert.due_at) == (3, NOON + 5 * DAY)


def test_what_came_and_went_does_not_keep_an_alert_alive() -> None:
    brief = rule("R16", when=("fraud_case",))
    customer = Customer(MISSED, brief)
    customer.takes(statement(1, **OWED))
    (alert,) = customer.alerts
    expires_at = alert.expires_at
    customer.takes(statement(2, at=NOON + 20 * DAY, fraud_case=True, **OWED))
    assert alert.expires_at > expires_at
    customer.takes(statement(3, at=NOON + 20 * DAY + HOUR, **OWED))
    assert alert.expires_at == expires_at


def test_a_rule_may_leave_more_time_to_answer_than_is_usual() -> None:
    customer = Customer(
        rule("U15", kind="upsell", situation="life_event", when=("has_salary",), respond_within_hours=40)
    )
    customer.takes(statement(1, has_salary=True))
    assert customer.alerts[0].respond_within_hours == 40


def test_a_rule_that_speaks_more_gravely_says_what_it_sees_now_beside_what_it_saw_first() -> None:
    graver = rule(
        "R4", when=("salary_missed >= 1.0",), severity="salary_missed >= 2.0 ? 3.0 : 2.0",
        reason=Text("{salary_missed} missed", ""),
    )  # fmt: skip
    customer = Customer(graver)
    customer.takes(statement(1, salary_missed=1.0))
    customer.takes(statement(2, salary_missed=2.0))
    customer.takes(statement(3, salary_missed=1.0))
    customer.takes(statement(4, salary_missed=2.0))
    (alert,) = customer.alerts
    told = [(one.text.en, one.severity, one.goes_on, bool(one.ended_at)) for one in alert.evidence]
    assert told == [("1 missed", 2, False, True), ("2 missed", 3, True, False)]
    assert (alert.severity, alert.reason.en, alert.rules) == (3, "2 missed", [("R4", 1)])
    assert [one.action for one in alert.history] == ["open", "evidence_added", "raise"]
    customer.takes(statement(5))
    assert customer.states == ["withdrawn"]


def test_a_rule_says_once_more_what_it_sees_when_twice_as_much_is_at_stake_or_it_becomes_known() -> None:
    said = rule("R4", when=("has_salary",), value_at_stake="assets", reason=Text("holds {assets}", ""))
    customer = Customer(said)
    for version, assets in enumerate((100.0, 199.0, 200.0, 399.0, 50.0, 300.0), 1):
        customer.takes(statement(version, has_salary=True, assets=assets))
    (alert,) = customer.alerts
    told = [(one.value, one.goes_on, bool(one.ended_at)) for one in alert.evidence]
    assert told == [(100.0, False, True), (200.0, True, False)]
    assert (alert.value, alert.reason.en, alert.rank) == (200.0, "holds 200", 200.0 * 0.7)
    assert [one.action for one in alert.history] == ["open", "evidence_added"]
    unknown = Customer(said)
    unknown.takes(statement(1, has_salary=True, missing=["assets"]))
    unknown.takes(statement(2, has_salary=True, assets=300.0))
    unknown.takes(statement(3, has_salary=True, missing=["assets"]))
    assert [one.value for one in unknown.alerts[0].evidence] == [None, 300.0]


def test_what_is_worth_more_is_said_no_less_gravely_than_before() -> None:
    graver = rule("R4", when=("has_salary",), severity="salary_missed >= 1.0 ? 3.0 : 1.0", value_at_stake="assets")
    customer = Customer(graver)
    customer.takes(statement(1, has_salary=True, salary_missed=1.0, assets=100.0))
    customer.takes(statement(2, has_salary=True, assets=900.0))
    assert (customer.alerts[0].severity, customer.alerts[0].value) == (3, 900.0)


@pytest.mark.parametrize(("now", "told", "more"), [
    (None, None, False), (None, 5.0, False), (0.0, 0.0, False), (0.5, 0.0, False), (1.0, 0.0, True),
    (-4.0, -2.0, False), (0.0, None, True),
])  # fmt: skip
def test_cents_are_not_worth_more_than_nothing(now: float | None, told: float | None, more: bool) -> None:
    assert is_worth_more(now, told) is more


def test_what_becomes_graver_is_said_in_the_alert_that_it_was_said_in() -> None:
    graver = rule("R4", when=("salary_missed >= 1.0",), severity="salary_missed")
    customer = Customer(SAVINGS, graver)
    customer.takes(statement(1, balance_total=5e3))
    customer.takes(statement(2, balance_total=5e3, salary_missed=1.0))
    customer.takes(statement(3, balance_total=5e3, salary_missed=2.0))
    assert [(one.situation, one.severity) for one in customer.alerts] == [("growth", 1), ("leaving", 2)]


def test_an_alert_calls_codes_as_people_call_them() -> None:
    labels = {"gold": Text(en="gold", zh="金卡客户")}
    said = Text(en="a {tier} customer", zh="等级 {tier}")
    customer = Customer(rule("R4", when=("has_salary",), reason=said), on=terms()._replace(labels=labels))
    customer.takes(statement(1, has_salary=True))
    assert customer.alerts[0].reason == Text(en="a gold customer", zh="等级 金卡客户")
    assert customer.alerts[0].evidence[0].values["tier"] == "gold"


def test_retention_keeps_its_words_before_a_graver_sale_of_one_situation() -> None:
    sale = rule("U1", kind="upsell", when=("balance_total >= 1000.0",), severity="3.0")
    customer = Customer(MISSED, sale)
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2, balance_total=5e3, **OWED))
    (alert,) = customer.alerts
    assert (alert.kind, alert.title.en, alert.severity) == ("retention", "R4", 3)


def test_the_gravest_rule_says_whose_work_an_alert_is() -> None:
    care = rule("R24", when=("fraud_case",), severity="3.0", owner_role="care")
    customer = Customer(MISSED, care)
    customer.takes(statement(1, **OWED))
    roles: list[str] = [customer.alerts[0].role]
    customer.takes(statement(2, fraud_case=True, **OWED))
    assert [*roles, customer.alerts[0].role] == ["manager", "care"]


def test_a_cause_that_disappears_withdraws_the_alert_and_starts_no_cooldown() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2, has_salary=True))
    assert customer.states == ["withdrawn"]
    said = customer.alerts[0].history[-1].note
    assert said == "R4 no longer holds: salary_missed was 1, is 0, assets was 500,000, is 0"
    customer.takes(statement(3, **OWED))
    assert customer.states == ["withdrawn", "new"]


def test_what_decided_is_told_first_of_an_alert_that_is_withdrawn_however_much_else_has_changed() -> None:
    shown = ("arrears", "assets", "balance_total", "cases_open")
    customer = Customer(rule("R4", when=("salary_missed >= 1.0",), evidence=shown))
    customer.takes(statement(1, salary_missed=1.0, arrears=True, assets=1.0, balance_total=2.0, cases_open=3.0))
    customer.takes(statement(2))
    assert customer.alerts[0].history[-1].note.startswith("R4 no longer holds: salary_missed was 1, is 0, ")


def test_an_alert_that_somebody_works_on_is_told_and_not_taken_away() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    act(customer.alerts[0], StepRequest("claim"), Actor("Li"), frozenset(), NOON + 2 * HOUR)
    customer.takes(statement(3, has_salary=True))
    assert customer.states == ["claimed"]
    assert customer.alerts[0].history[-1].action == "cause_ended"


def test_what_comes_and_goes_around_a_threshold_stays_one_piece_of_evidence_and_stands_while_it_holds() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    customer.takes(statement(2, moments=[moment("a", NOON)], has_salary=True))
    (alert,) = customer.alerts
    assert alert.reason.en == "R1 holds"
    assert alert.history[-1].note == "R4 no longer holds: salary_missed was 1, is 0, assets was 500,000, is 0"
    assert customer.takes(statement(3, moments=[moment("a", NOON)], **OWED)).changed == [alert]
    assert (alert.history[-1].action, alert.history[-1].note) == ("evidence_again", "R4")
    assert sorted((one.rule, one.ended_at) for one in alert.evidence) == [("R1", 0), ("R4", 0)]
    assert alert.reason.en == "R1 holds. R4 holds"
    customer.takes(statement(4, **OWED))
    assert customer.states == ["new"]
    customer.takes(statement(5, has_salary=True))
    assert customer.states == ["withdrawn"]


def test_what_holds_once_more_days_later_is_told_as_it_is_seen_then_and_goes_on_what_was_told() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    (alert,) = customer.alerts
    customer.takes(statement(2, moments=[moment("a", NOON)], has_salary=True))
    later = NOON + 9 * DAY
    customer.takes(statement(3, at=later, moments=[moment("a", NOON)], **{**OWED, "assets": 6e5}))
    told = [(one.values["assets"], one.goes_on, one.ended_at > 0, one.occurred_at) for one in alert.evidence[::2]]
    assert told == [(5e5, False, True, NOON + HOUR), (6e5, True, False, later)]
    assert (alert.reason.en, alert.value, alert.history[-1].action) == ("R1 holds. R4 holds", 6e5, "evidence_again")
    customer.takes(statement(4, at=later + HOUR, moments=[moment("a", NOON)], has_salary=True))
    assert [one.ended_at for one in alert.evidence[::2]] == [NOON + 2 * HOUR, later + HOUR]


def test_what_holds_again_long_after_is_said_anew_in_an_open_alert() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    act(customer.alerts[0], StepRequest("claim"), Actor("Li"), frozenset(), NOON + 2 * HOUR)
    customer.takes(statement(2, has_salary=True))
    customer.takes(statement(3, at=NOON + 60 * DAY, **OWED))
    assert [one.ended_at > 0 for one in customer.alerts[0].evidence] == [True, False]


def test_what_a_rule_said_that_was_switched_off_ends_with_who_switched_it_off() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    (alert,) = customer.alerts
    why = "R1 was switched off by Li: too many"
    assert retract("R1", why, customer.standing, [alert], terms(), NOON + 2 * HOUR) == [alert]
    assert (alert.state, alert.reason.en) == ("new", "R4 holds")
    retract("R4", "R4 was switched off by Li: too many", customer.standing, [alert], terms(), NOON + 3 * HOUR)
    assert (alert.state, alert.history[-1].note) == ("withdrawn", "R4 was switched off by Li: too many")
    customer.takes(statement(4, **OWED))
    assert customer.states == ["withdrawn", "new"], (
        "switched on again it says so anew, and no cooldown stands against it"
    )


def test_the_next_statement_takes_back_what_a_rule_said_that_is_judged_no_more_and_says_why() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, **OWED))
    customer.rules = rules(OUTFLOW)
    customer.terms = terms()._replace(silent={"R4": "R4 was removed by Li"})
    customer.takes(statement(2, **OWED))
    (alert,) = customer.alerts
    assert (alert.state, alert.history[-1].note) == ("withdrawn", "R4 was removed by Li")


def test_a_rule_that_was_moved_to_another_situation_takes_back_what_it_said_and_says_it_there() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    assert [one.situation for one in customer.alerts] == ["leaving"]
    moved = rule("R4", when=MISSED.declared.when, value_at_stake="assets", situation="service_trouble")
    customer.rules = rules(moved, OUTFLOW)
    customer.takes(statement(2, moments=[moment("a", NOON)], **OWED))
    leaving, trouble = customer.alerts
    assert (leaving.situation, leaving.reason.en) == ("leaving", "R1 holds")
    assert leaving.history[-1].note == "R4 speaks of another situation now"
    assert (trouble.situation, trouble.reason.en) == ("service_trouble", "R4 holds")
    assert customer.takes(statement(3, moments=[moment("a", NOON)], **OWED)).changed == []


def test_an_alert_that_ends_because_its_rule_was_changed_says_by_whom() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    customer.rules = rules(rule("R4", when=("has_salary", "salary_missed >= 2.0"), value_at_stake="assets"))
    customer.terms = terms()._replace(changed={"R4": Changed(NOON + HOUR + 1, "Li")})
    customer.takes(statement(2, **{**OWED, "assets": 400_000.0}))
    (alert,) = customer.alerts
    said = "R4 no longer holds as Li has changed it: assets was 500,000, is 400,000"
    assert (alert.state, alert.history[-1].note) == ("withdrawn", said)


def test_what_was_said_after_its_rule_was_changed_ends_for_what_the_customer_did() -> None:
    customer = Customer(MISSED)
    customer.terms = terms()._replace(changed={"R4": Changed(NOON - DAY, "Li")})
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2, has_salary=True))
    assert customer.alerts[0].history[-1].note.startswith("R4 no longer holds: salary_missed was 1")


@pytest.mark.parametrize(("gap", "pieces"), [(2 * DAY, 1), (2 * DAY + 1, 2)])
def test_a_gap_of_up_to_two_days_is_none(gap: int, pieces: int) -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    customer.takes(statement(2, at=NOON + DAY, moments=[moment("a", NOON)]))
    customer.takes(statement(3, at=NOON + DAY + gap, moments=[moment("a", NOON)], **OWED))
    assert len([one for one in customer.alerts[0].evidence if one.rule == "R4"]) == pieces


def test_while_a_fact_is_unknown_what_stood_goes_on_standing() -> None:
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2, has_salary=True, missing=["salary_missed"]))
    assert customer.states == ["new"]


def test_what_begins_as_the_alert_of_its_situation_is_withdrawn_opens_another_one() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, **OWED))
    customer.takes(statement(2, moments=[moment("a", NOON)]))
    assert customer.states == ["withdrawn", "new"]
    assert customer.alerts[1].rules == [("R1", 1)]


def test_what_is_worth_nothing_and_weighs_nothing_still_has_a_place_in_the_inbox() -> None:
    customer = Customer(rule("R4", when=("has_salary",), severity="salary_missed - 1.0", value_at_stake="assets"))
    customer.takes(statement(1, has_salary=True, salary_missed=1.0))
    (alert,) = customer.alerts
    assert (alert.severity, alert.value) == (1, 0.0)
    assert alert.rank > 0.0


def test_a_value_that_is_unknown_is_said_to_be_and_ranks_as_the_desk_says_for_the_tier() -> None:
    desk = Desk(unknown_value={"gold": 4e5})
    gold, general = Customer(MISSED, on=terms(desk)), Customer(MISSED, on=terms(desk))
    gold.takes(statement(1, **WITHOUT_ASSETS))
    general.takes(statement(1, tier="general", **WITHOUT_ASSETS))
    known = Customer(MISSED, on=terms(desk))
    known.takes(statement(1, **{**OWED, "assets": 4e5}))
    assert (gold.alerts[0].value, general.alerts[0].value) == (None, None)
    assert gold.alerts[0].rank == known.alerts[0].rank > general.alerts[0].rank > 0.0


def test_of_several_values_at_stake_the_greatest_that_is_known_is_told() -> None:
    worthless = rule("R9", when=("complaint_open",), situation="leaving", value_at_stake="0.0")
    loud = rule("R8", when=("fraud_case",), situation="leaving", value_at_stake="balance_total")
    customer = Customer(MISSED, worthless, loud)
    customer.takes(statement(1, complaint_open=True, **WITHOUT_ASSETS))
    (alert,) = customer.alerts
    values, rank = [alert.value], alert.rank
    customer.takes(statement(2, complaint_open=True, fraud_case=True, balance_total=900.0, **WITHOUT_ASSETS))
    assert alert.rank == rank
    values.append(alert.value)
    customer.takes(statement(3, complaint_open=True, missing=["assets"]))
    assert [*values, alert.value] == [None, 900.0, 0.0]


def test_while_an_alert_is_open_another_moment_joins_it_whatever_the_cooldown() -> None:
    customer = Customer(OUTFLOW)
    first, second = moment("a", NOON), moment("b", NOON + HOUR)
    customer.takes(statement(1, moments=[first]))
    customer.takes(statement(2, moments=[first, second]))
    (alert,) = customer.alerts
    assert [(one.key, one.event_id) for one in alert.current_evidence()] == [("R1|a", "a"), ("R1|b", "b")]


def test_a_moment_that_is_told_late_does_not_shorten_the_cooldown_of_a_later_one() -> None:
    outflow = rule("R1", on="large_debit", when=("moment.external",), cooldown_days=10)
    customer = Customer(outflow)
    late, usual = moment("late", NOON - 5 * DAY), moment("usual", NOON)
    customer.takes(statement(1, moments=[usual]))
    customer.takes(statement(2, moments=[late, usual]))
    cooled = customer.standing.cooled["R1"]
    assert cooled == NOON + 10 * DAY


def test_after_an_outcome_a_rule_rests_for_its_cooldown_in_event_time() -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)]))
    alert = customer.alerts[0]
    alert.state = "closed"
    later = moment("b", NOON + 29 * DAY)
    assert customer.takes(statement(2, at=NOON + 29 * DAY, moments=[later])).suppressed == 1
    much_later = moment("c", NOON + 31 * DAY)
    customer.takes(statement(3, at=NOON + 31 * DAY, moments=[much_later]))
    assert customer.states == ["closed", "new"]


@pytest.mark.parametrize(("on", "speaks"), [(29, False), (31, True), (45, True)])
def test_what_begins_to_hold_within_the_cooldown_is_said_once_it_is_over(on: int, speaks: bool) -> None:
    """Else a salary that stays away again, for good, would never be told of, while one that sways would."""
    customer = Customer(MISSED)
    customer.takes(statement(1, **OWED))
    customer.alerts[0].state = "closed"
    customer.takes(statement(2, at=NOON + 10 * DAY))
    assert customer.takes(statement(3, at=NOON + 15 * DAY, **OWED)).suppressed == 1
    settled = customer.takes(statement(4, at=NOON + on * DAY, **OWED))
    assert (settled.fired, customer.states) == ((1, ["closed", "new"]) if speaks else (0, ["closed"]))
    customer.takes(statement(5, at=NOON + 46 * DAY, **OWED))
    assert customer.takes(statement(6, at=NOON + 90 * DAY, **OWED)).fired == 0, "once for as long as it holds"


def test_what_its_cooldown_held_back_joins_an_alert_that_another_rule_opens() -> None:
    customer = Customer(MISSED, rule("R16", when=("fraud_case",)))
    customer.takes(statement(1, **OWED))
    customer.alerts[0].state = "closed"
    customer.takes(statement(2, at=NOON + 10 * DAY))
    customer.takes(statement(3, at=NOON + 15 * DAY, **OWED))
    customer.takes(statement(4, at=NOON + 16 * DAY, fraud_case=True, **OWED))
    customer.takes(statement(5, at=NOON + 17 * DAY, fraud_case=True, **OWED))
    assert [one.rule for one in customer.alerts[-1].current_evidence()] == ["R16", "R4"]


def test_a_moment_of_the_cooldown_stays_unsaid() -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)]))
    customer.alerts[0].state = "closed"
    late = moment("b", NOON + 20 * DAY)
    for on in (20, 35):
        assert customer.takes(statement(on, at=NOON + on * DAY, moments=[late])).fired == 0


def test_a_moment_is_acted_on_once_and_its_passing_is_no_news() -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)]))
    assert customer.takes(statement(2, moments=[moment("a", NOON)])).changed == []
    assert customer.takes(statement(3, at=NOON + 30 * DAY)).changed == []
    assert customer.states == ["new"]


def test_a_moment_that_is_reversed_within_its_window_withdraws() -> None:
    customer = Customer(OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)]))
    customer.takes(statement(2))
    assert customer.states == ["withdrawn"]


def test_a_guard_holds_selling_back_and_lets_it_go_on_when_it_ends() -> None:
    customer = Customer(SAVINGS, COMPLAINT)
    customer.takes(statement(1, balance_total=5e3, complaint_open=True))
    assert [(one.state, one.waiting) for one in customer.alerts] == [("new", "G1")]
    customer.takes(statement(2, balance_total=5e3))
    assert [(one.state, one.waiting) for one in customer.alerts] == [("new", "")]


def test_a_guard_that_cannot_be_judged_holds() -> None:
    customer = Customer(SAVINGS, COMPLAINT)
    customer.takes(statement(1, balance_total=5e3, missing=["complaint_open"]))
    assert customer.alerts[0].waiting == "G1"
    assert customer.standing.guards == {"G1": "missing"}


def test_retention_comes_before_upsell_for_one_customer() -> None:
    customer = Customer(SAVINGS, MISSED)
    customer.takes(statement(1, balance_total=5e3, **OWED))
    assert {one.kind: one.waiting for one in customer.alerts} == {"upsell": "retention_first", "retention": ""}


def test_a_throttled_rule_raises_nothing() -> None:
    customer = Customer(MISSED, on=terms(throttled=frozenset({"R4"})))
    assert customer.takes(statement(1, **OWED)).suppressed == 1
    assert (customer.alerts, customer.takes(statement(2, **OWED)).suppressed) == ([], 0)


def test_a_rule_that_is_throttled_no_more_says_what_still_holds() -> None:
    customer = Customer(MISSED, on=terms(throttled=frozenset({"R4"})))
    customer.takes(statement(1, **OWED))
    customer.terms = terms()
    customer.takes(statement(2, **OWED))
    assert customer.states == ["new"]


def test_rank_is_value_by_urgency_by_the_rules_own_precision() -> None:
    sure, unsure = Customer(MISSED, on=terms(R4=0.9)), Customer(MISSED, on=terms(R4=0.1))
    for customer in (sure, unsure):
        customer.takes(statement(1, **OWED))
    assert sure.alerts[0].rank == 5e5 * 0.9
    assert unsure.alerts[0].rank == 5e5 * 0.1


def test_what_must_be_answered_sooner_ranks_before_a_greater_sum_that_can_wait() -> None:
    leaving = Customer(rule("R1", value_at_stake="balance_total", severity="3.0", respond_within_hours=4))
    growing = Customer(rule("U20", value_at_stake="balance_total", severity="1.0", respond_within_hours=160))
    leaving.takes(statement(1, balance_total=2e5))
    growing.takes(statement(1, balance_total=1.6e6))
    assert (leaving.alerts[0].rank, growing.alerts[0].rank) == (2e5 * 3.0 * 4.0 * 0.7, 1.6e6 * 0.1 * 0.7)


def test_a_rank_is_told_to_the_cent() -> None:
    customer = Customer(rule("U7", value_at_stake="balance_total", severity="2.0"), on=terms(U7=0.7))
    customer.takes(statement(1, balance_total=5.4e6))
    assert customer.alerts[0].rank == 7_560_000.0 != 5.4e6 * 2.0 * 0.7


def test_of_several_rules_the_surest_ranks_an_alert_and_what_nobody_can_value_counts_as_one() -> None:
    both = Customer(MISSED, rule("R16", when=("fraud_case",)), on=terms(R4=0.1, R16=0.9))
    both.takes(statement(1, fraud_case=True, **OWED))
    assert both.alerts[0].rank == 5e5 * 0.9
    unvalued = Customer(rule("R16", when=("fraud_case",), severity="2.0"), on=terms(R16=0.5))
    unvalued.takes(statement(1, fraud_case=True))
    assert unvalued.alerts[0].rank == 2 * 0.5


def test_the_evidence_of_a_rule_that_ended_stays_readable() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, moments=[moment("a", NOON)], **OWED))
    customer.takes(statement(2, has_salary=True, moments=[moment("a", NOON)]))
    alert = customer.alerts[0]
    assert {one.rule: bool(one.ended_at) for one in alert.evidence} == {"R4": True, "R1": False}
    assert alert.state == "new"


def test_a_household_rule_needs_no_person() -> None:
    of_households = rule("U7", kind="upsell", situation="threshold", about=("household",), when=("assets > 5.0",))
    customer = Customer(of_households)
    customer.takes(statement(1, assets=10.0, kind="household"))
    assert customer.states == ["new"]


def test_what_has_happened_stays_said_although_the_short_window_slides_past_it() -> None:
    owing = rule("R14", situation="service_trouble", when=("salary_missed >= 2.0",), stays_said_days=7)
    customer = Customer(owing)
    customer.takes(statement(1, salary_missed=2.0))
    customer.takes(statement(2, at=NOON + DAY))
    assert customer.states == ["new"]
    assert customer.alerts[0].current_evidence()
    settled = customer.takes(statement(3, at=NOON + 8 * DAY))
    assert (customer.states, settled.changed, customer.standing.firings) == (["new"], [], {})


def test_what_was_said_and_holds_again_after_its_time_is_said_anew_without_a_statement_in_between() -> None:
    owing = rule("R14", situation="service_trouble", when=("salary_missed >= 2.0",), stays_said_days=7, cooldown_days=0)
    customer = Customer(owing)
    customer.takes(statement(1, salary_missed=2.0))
    customer.takes(statement(2, at=NOON + DAY))
    assert customer.takes(statement(3, at=NOON + 2 * DAY, salary_missed=2.0)).fired == 0
    customer.takes(statement(4, at=NOON + 3 * DAY))
    customer.alerts[0].state = "closed"
    assert customer.takes(statement(5, at=NOON + 9 * DAY, salary_missed=2.0)).fired == 1


def test_an_alert_keeps_the_tier_of_its_opening_while_the_money_that_leaves_takes_the_customer_s_along() -> None:
    customer = Customer(MISSED, OUTFLOW)
    customer.takes(statement(1, **OWED, tier="gold"))
    (alert,) = customer.alerts
    before = alert.grade
    customer.takes(statement(2, **OWED, tier="general"))
    customer.takes(statement(3, **OWED, tier="general", moments=[moment("m", NOON)]))
    assert (customer.standing.tier, alert.tier, len(alert.evidence)) == ("general", "gold", 2)
    assert (before, alert.grade) == ("B", "A")
