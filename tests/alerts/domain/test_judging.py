"""What rules say of a statement."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.changes import ProfileChange
from services.alerts.domain.compiled import Rule
from services.alerts.domain.judging import Verdict, judge
from tests.alerts.told import CEL, COMPLAINT, MISSED, NOON, OUTFLOW, SAVINGS, moment, rule, rules, statement


def judged(change: ProfileChange, *given: Rule) -> dict[str, Verdict]:
    return {verdict.rule.id: verdict for verdict in judge(change, rules(*given), CEL)}


def test_a_rule_holds_when_every_part_does() -> None:
    assert judged(statement(1, has_salary=True, salary_missed=1.0, assets=5e5), MISSED)["R4"].value == 5e5
    assert not judged(statement(1, has_salary=True), MISSED)


def test_a_rule_that_is_switched_off_and_one_on_moments_keep_those_behind_them_from_nothing() -> None:
    off, gone = rule("R9", when=("has_salary",), enabled=False), statement(1, has_salary=True, salary_missed=1.0)
    told = replace(gone, moments=[moment("d", NOON)])
    assert sorted(judged(told, off, OUTFLOW, MISSED)) == ["R1", "R4"]


def test_a_rule_whose_facts_are_at_rest_says_nothing() -> None:
    assert not judged(statement(1), MISSED, SAVINGS, COMPLAINT)


def test_a_rule_that_holds_at_rest_is_judged_all_the_same() -> None:
    poor = rule("R22", when=("assets < 1000.0",))
    assert judged(statement(1), poor)["R22"].outcome == "holds"


def test_on_a_missing_fact_retention_does_not_fire_and_a_guard_is_kept() -> None:
    change = statement(1, has_salary=True, missing=["salary_missed", "complaint_open"])
    found = judged(change, MISSED, COMPLAINT)
    assert found["R4"].outcome == "missing"
    assert (found["R4"].missing, found["R4"].severity, found["R4"].seen) == (("salary_missed",), 1, {})
    assert found["G1"].outcome == "missing"
    assert (found["G1"].is_weighed, found["R4"].is_weighed) == (True, False)


def test_what_is_unknown_is_no_evidence_that_it_is_at_rest() -> None:
    held = judged(statement(1, missing=["complaint_open"]), COMPLAINT)["G1"]
    assert (held.missing, held.seen) == (("complaint_open",), {"fraud_case": False})


def test_what_is_missing_is_named_once_and_in_order() -> None:
    asks = ("tier == 'gold' && owner == '' && assets > 1.0", "assets > balance_total")
    unknown = ["tier", "owner", "balance_total", "assets"]
    assert judged(statement(1, missing=unknown), rule("R9", when=asks))["R9"].missing == tuple(sorted(unknown))


@pytest.mark.parametrize("asks", ["fraud_case && salary_missed >= 1.0", "salary_missed >= 1.0 && !fraud_case"])
def test_what_is_known_rules_a_part_out_whatever_an_unknown_truth_value_may_be(asks: str) -> None:
    for given in (rule("G9", kind="guard", when_any=(asks,)), rule("R9", when=(asks,))):
        assert not judged(statement(1, missing=["fraud_case"]), given)
        held = judged(statement(1, salary_missed=1.0, missing=["fraud_case"]), given)[given.id]
        assert (held.outcome, held.missing) == ("missing", ("fraud_case",))


def test_what_is_unknown_elsewhere_does_not_keep_a_part_from_being_ruled_out() -> None:
    either = rule("G9", kind="guard", when_any=("fraud_case && salary_missed >= 1.0", "assets > 5.0"))
    unknown = ["fraud_case", "assets", "balance_total"]
    assert judged(statement(1, missing=unknown), either)["G9"].missing == ("assets",)
    assert not judged(statement(1, missing=["fraud_case", "balance_total"]), either)


@pytest.mark.parametrize(("unknown", "found"), [(3, []), (4, ["R9"])])
def test_up_to_three_unknown_truth_values_are_tried_and_beyond_them_nothing_is_ruled_out(
    unknown: int, found: list[str]
) -> None:
    names = ("complaint_open", "fraud_case", "has_salary", "is_staff")
    known: dict[str, Any] = dict.fromkeys(names[unknown:], True)
    asks = rule("R9", when=(" && ".join((*names, "salary_missed >= 1.0")),))
    assert [*judged(statement(1, missing=names[:unknown], **known), asks)] == found


@pytest.mark.parametrize("asks", ["fraud_case && moment.external", "moment.external && fraud_case"])
def test_what_a_moment_tells_rules_a_part_out_and_what_it_does_not_tell_leaves_it_open(asks: str) -> None:
    drained = rule("R1", on="large_debit", when=(asks,))
    inside, silent = moment("a", NOON, external=False), moment("b", NOON)
    del silent.values["external"]
    told = statement(1, missing=["fraud_case"], moments=[inside, silent])
    [found] = judge(told, rules(drained), CEL)
    assert (found.moment, found.missing) == (silent, ("fraud_case", "moment.external"))
    [found] = judge(statement(1, moments=[silent]), rules(drained), CEL)
    assert found.missing == ("moment.external",)


def test_a_value_of_a_wrong_type_rules_nothing_out() -> None:
    asks = rule("R9", when=("salary_missed >= 1.0 && fraud_case",))
    change = statement(1, salary_missed="two", missing=["fraud_case"])
    assert judged(change, asks)["R9"].missing == ("fraud_case",)


@pytest.mark.parametrize(
    "asks", ["fraud_case", "!fraud_case", "assets > 5.0 && salary_missed >= 1.0", "fraud_case && assets > 5.0"]
)
def test_what_an_unknown_value_decides_or_an_unknown_number_stands_in_cannot_be_known(asks: str) -> None:
    given = rule("R9", when=(asks,))
    assert judged(statement(1, missing=["fraud_case", "assets"]), given)["R9"].outcome == "missing"


def test_a_severity_that_asks_for_something_unknown_is_the_least_and_such_a_value_is_unknown() -> None:
    grave = rule("R4", when=("has_salary",), value_at_stake="assets + 7.0", severity="assets > 1.0 ? 3.0 : 2.0")
    found = judged(statement(1, has_salary=True, missing=["assets"]), grave)["R4"]
    assert (found.outcome, found.severity, found.value) == ("holds", 1, None)
    assert judged(statement(1, has_salary=True), grave)["R4"].severity == 2


def test_the_evidence_of_a_rule_is_what_it_asks_for_and_the_moment_by_name() -> None:
    asks = ("moment.external", "has_salary || assets >= 0.0", "tier == 'gold'")
    found = judged(statement(1, moments=[moment("a", NOON)]), rule("R1", on="large_debit", when=asks))["R1"]
    assert list(found.seen.items()) == [
        ("assets", 0.0), ("has_salary", False), ("tier", "gold"), ("moment.amount_home", 9000.0),
        ("moment.external", True), ("moment.percent_of_balance", 50.0),
    ]  # fmt: skip


def test_a_rule_does_not_hold_for_want_of_a_source_that_could_tell_otherwise() -> None:
    assert judged(statement(1, has_salary=True, not_covered=["salary_missed"]), MISSED)["R4"].outcome == "missing"


def test_a_guard_leaves_out_the_part_that_no_source_covers() -> None:
    assert not judged(statement(1, not_covered=["complaint_open"]), COMPLAINT)
    assert judged(statement(1, not_covered=["complaint_open"], fraud_case=True), COMPLAINT)["G1"].outcome == "holds"


def test_a_part_that_fails_decides_even_where_another_is_unknown() -> None:
    assert not judged(statement(1, has_salary=False, missing=["salary_missed"]), MISSED)


def test_a_rule_on_a_moment_is_judged_once_for_each() -> None:
    given = [moment("a", NOON), moment("b", NOON, percent_of_balance=10.0), moment("c", NOON, percent_of_balance=90.0)]
    found = judge(statement(1, moments=given), rules(OUTFLOW), CEL)
    assert [one.moment.moment_id for one in found if one.moment] == ["a", "c"]
    assert all(one.severity == 2 for one in found)


def test_a_moment_without_the_field_that_is_asked_is_unknown() -> None:
    bare = moment("a", NOON)
    del bare.values["percent_of_balance"]
    assert judged(statement(1, moments=[bare]), OUTFLOW)["R1"].missing == ("moment.percent_of_balance",)


def test_a_value_of_a_wrong_type_breaks_the_rule_and_not_the_customer() -> None:
    late = rule("G9", kind="guard", when_any=("salary_missed >= 1.0",))
    found = judged(statement(1, has_salary=True, salary_missed="two", balance_total=5e3), MISSED, SAVINGS, late)
    assert found["R4"].outcome == "broken"
    assert "overload" in found["R4"].why
    assert (found["G9"].outcome, found["G9"].is_weighed) == ("broken", False)
    assert found["U3"].outcome == "holds"


def test_a_rule_about_households_does_not_speak_of_persons() -> None:
    of_households = rule("U7", kind="upsell", situation="threshold", about=("household",), when=("assets > 5.0",))
    assert not judged(statement(1, assets=10.0), of_households)
    assert judged(statement(1, assets=10.0, kind="household"), of_households)
    drained = rule("R1", on="large_debit", about=("household",), when=("moment.external",))
    assert not judged(statement(1, moments=[moment("a", NOON)]), drained)
    assert judged(statement(1, moments=[moment("a", NOON)], kind="household"), drained)


def test_an_absence_does_not_count_while_a_channel_that_would_tell_of_it_is_not_heard() -> None:
    absent = rule("R4", when=("has_salary", "salary_missed >= 1.0"), depends_on=("corebank",))
    owed: dict[str, Any] = {"has_salary": True, "salary_missed": 1.0}
    assert judged(statement(1, unheard=["corebank"], **owed), absent)["R4"].missing == ("channel corebank",)
    assert judged(statement(1, unheard=["atm"], **owed), absent)["R4"].outcome == "holds"
    assert not judged(statement(1, unheard=["corebank"], has_salary=True), absent)


def test_nor_does_one_of_several_absences_of_which_any_would_do() -> None:
    either = rule("R18", when_any=("salary_missed >= 1.0", "complaint_open"), depends_on=("online", "corebank"))
    owed: dict[str, Any] = {"salary_missed": 1.0}
    assert judged(statement(1, unheard=["corebank", "online"], **owed), either)["R18"].missing == (
        "channel corebank", "channel online",
    )  # fmt: skip
    assert judged(statement(1, unheard=["atm"], **owed), either)["R18"].outcome == "holds"
    assert not judged(statement(1, unheard=["corebank"]), either)
