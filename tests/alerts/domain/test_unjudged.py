"""What rules could not be judged on is counted by their kind and by what they lack."""

from msgspec.structs import replace

from schemas.changes import ProfileChange
from services.alerts.domain.compiled import Rule
from services.alerts.domain.judging import judge
from services.alerts.domain.unjudged import Unjudged, unjudged
from tests.alerts.told import CEL, COMPLAINT, MISSED, NOON, OUTFLOW, SAVINGS, moment, rule, rules, statement


def counted(change: ProfileChange, *given: Rule) -> Unjudged:
    return unjudged(judge(change, rules(*given), CEL), change.not_covered)


def test_rules_that_lack_a_fact_are_counted_by_their_kind() -> None:
    missing = ["salary_missed", "balance_total", "complaint_open"]
    assert counted(statement(1, has_salary=True, missing=missing), MISSED, SAVINGS, COMPLAINT) == {
        ("retention", "missing"): 1, ("upsell", "missing"): 1, ("guard", "missing"): 1,
    }  # fmt: skip


def test_a_fact_that_no_source_covers_is_told_apart_and_counts_whatever_else_is_missing() -> None:
    told = statement(1, has_salary=True, missing=["salary_missed"], not_covered=["balance_total"])
    poor = rule("R22", when=("salary_missed > balance_total",))
    assert counted(told, MISSED, SAVINGS, poor) == {
        ("retention", "missing"): 1, ("retention", "not_covered"): 1, ("upsell", "not_covered"): 1,
    }  # fmt: skip


def test_a_guard_counts_as_not_covered_only_where_it_holds_for_that() -> None:
    """A part that no source covers is left out, so that the guard can be judged on the others."""
    whole = rule("G9", kind="guard", situation=None, when=("complaint_open",))
    assert counted(statement(1, not_covered=["complaint_open"]), COMPLAINT, whole) == {("guard", "not_covered"): 1}


def test_a_channel_that_is_not_heard_and_a_moment_that_does_not_tell_are_missing() -> None:
    absence = rule("R16", when=("has_salary",), depends_on=("online",))
    unheard = statement(1, has_salary=True, unheard=["online"])
    assert counted(unheard, absence) == {("retention", "missing"): 1}
    silent = replace(moment("a", NOON), values={"external": True})
    assert counted(statement(1, moments=[silent]), OUTFLOW) == {("retention", "missing"): 1}


def test_a_rule_counts_once_however_many_moments_it_was_judged_on() -> None:
    worth = rule("R1", on="large_debit", when=("moment.external", "assets > 10.0"))
    told = statement(1, moments=[moment("a", NOON), moment("b", NOON)], missing=["assets"])
    assert counted(told, worth) == {("retention", "missing"): 1}


def test_a_value_of_a_wrong_type_is_not_taken_for_a_missing_one() -> None:
    assert counted(statement(1, has_salary=True, salary_missed="once"), MISSED) == {}


def test_what_can_be_judged_counts_nothing() -> None:
    assert counted(statement(1, has_salary=True, salary_missed=1.0, complaint_open=True), MISSED, COMPLAINT) == {}
