"""Why a rule holds, or why not, told from the same judging that raises alerts."""

from typing import Any

import msgspec
import pytest

from schemas.changes import ProfileChange
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import Rule
from services.alerts.domain.explaining import Explained, Part, Remembered, explain
from services.alerts.domain.judging import judge
from services.alerts.domain.settling import settle
from services.alerts.domain.standing import Standing
from tests.alerts.told import CEL, COMPLAINT, DAY, MISSED, NOON, OUTFLOW, SAVINGS, moment, rule, rules, statement, terms

ALL = (MISSED, OUTFLOW, SAVINGS, COMPLAINT)
LEAVING: dict[str, Any] = {"has_salary": True, "salary_missed": 1.0, "assets": 80_000.0}


def said(
    change: ProfileChange, given: tuple[Rule, ...] = ALL, standing: Standing | None = None,
    alerts: tuple[Alert, ...] = (), throttled: frozenset[str] = frozenset(), broken: dict[str, str] | None = None,
    paused: frozenset[str] = frozenset(),
) -> dict[str, Explained]:  # fmt: skip
    remembered = Remembered(standing or Standing(), alerts, throttled, paused, broken or {})
    return {one.rule.id: one for one in explain(change, rules(*given), CEL, remembered)}


def settled(change: ProfileChange, standing: Standing, throttled: frozenset[str] = frozenset()) -> tuple[Alert, ...]:
    found = settle(change, standing, [], judge(change, rules(*ALL), CEL), terms(throttled=throttled))
    return tuple(found.changed)


def test_each_part_says_whether_it_holds_and_what_it_saw() -> None:
    one = said(statement(1, has_salary=True))["R4"]
    assert (one.status, one.holds) == ("not", False)
    assert one.parts == [Part("has_salary", True, ()), Part("salary_missed >= 1.0", False, ())]
    assert one.values == {"has_salary": True, "salary_missed": 0.0, "assets": 0.0}


def test_what_is_missing_is_told_apart_from_what_nobody_could_tell() -> None:
    found = said(statement(1, has_salary=True, missing=["salary_missed"]))["R4"]
    assert (found.status, found.holds, found.missing, found.not_covered) == ("missing", None, ["salary_missed"], [])
    assert found.parts[1] == Part("salary_missed >= 1.0", None, ("salary_missed",))
    found = said(statement(1, has_salary=True, not_covered=["salary_missed"]))["R4"]
    assert (found.status, found.missing, found.not_covered) == ("not_covered", [], ["salary_missed"])


def test_what_a_part_misses_is_told_in_order() -> None:
    asks = rule("R9", when=("tier == 'gold' && owner == '' && assets > balance_total",))
    unknown = ["tier", "owner", "balance_total", "assets"]
    [part] = said(statement(1, missing=unknown), (asks,))["R9"].parts
    assert part.missing == tuple(sorted(unknown))


def test_a_part_that_cannot_hold_whatever_is_unknown_does_not_hold() -> None:
    asks = rule("R9", on="large_debit", when=("moment.external && complaint_open", "fraud_case && has_salary"))
    inside = moment("a", NOON, external=False)
    found = said(statement(1, moments=[inside], missing=["complaint_open", "fraud_case"]), (asks,))["R9"]
    assert (found.status, found.holds, found.missing) == ("not", False, [])
    assert [part.holds for part in found.parts] == [False, False]
    assert [part.missing for part in found.parts] == [(), ()]


def test_a_value_that_is_unknown_is_told_apart_from_one_that_nobody_asked_for() -> None:
    held = said(statement(1, **LEAVING))["R4"]
    assert (held.value, held.value_is) == (80_000.0, "known")
    held = said(statement(1, has_salary=True, salary_missed=1.0, missing=["assets"]))["R4"]
    assert (held.status, held.value, held.value_is) == ("holds", None, "unknown")
    for change in (statement(1), statement(1, has_salary=True, missing=["salary_missed"])):
        assert (said(change)["R4"].value, said(change)["R4"].value_is) == (None, "not_asked")
    assert said(statement(1))["R1"].value_is == "not_asked"


def test_a_rule_on_moments_tells_the_one_in_which_it_holds_or_the_newest() -> None:
    small, large = moment("m2", NOON + 2, percent_of_balance=5.0), moment("m1", NOON, percent_of_balance=60.0)
    found = said(statement(1, moments=[large, small]))["R1"]
    assert (found.status, found.severity, found.moment) == ("holds", 2, large)
    assert [part.holds for part in found.parts] == [True, True]
    later = moment("m0", NOON + 1, percent_of_balance=60.0)
    for both in ([large, later], [later, large]):
        assert said(statement(1, moments=both))["R1"].moment == later
    found = said(statement(1, moments=[small]))["R1"]
    assert (found.status, found.moment, [part.holds for part in found.parts]) == ("not", small, [True, False])
    assert said(statement(1))["R1"].status == "no_moment"
    other = msgspec.structs.replace(large, kind="large_credit")
    assert said(statement(1, moments=[other]))["R1"].status == "no_moment"


def test_a_rule_that_is_switched_off_is_explained_all_the_same() -> None:
    off = MISSED._replace(declared=msgspec.structs.replace(MISSED.declared, enabled=False))
    found = said(statement(1, **LEAVING), (off, SAVINGS))["R4"]
    assert (found.status, found.holds) == ("disabled", True)


def test_a_rule_about_others_says_so() -> None:
    assert said(statement(1, kind="household", **LEAVING))["R4"].status == "not_about"


def test_a_broken_rule_says_why() -> None:
    wrong = rule("R9", when=("has_salary", "salary_missed >= 1.0"))
    change = statement(1, has_salary=True)
    change.facts["salary_missed"] = "often"
    found = said(change, (wrong,))["R9"]
    assert (found.status, bool(found.by), found.parts) == ("broken", True, [])
    found = said(statement(1, **LEAVING), broken={"R4": "met a text"})["R4"]
    assert (found.status, found.by) == ("broken", "met a text")


def test_what_was_raised_names_its_alert() -> None:
    standing, change = Standing(), statement(1, **LEAVING)
    [alert] = settled(change, standing)
    found = said(change, standing=standing, alerts=(alert,))["R4"]
    assert (found.status, found.alert_id) == ("holds", alert.alert_id)


def test_what_a_guard_holds_back_names_the_guard_before_and_after_it_was_raised() -> None:
    standing, change = Standing(), statement(1, balance_total=5000.0, complaint_open=True)
    found = said(change)["U3"]
    assert (found.status, found.by, found.holds) == ("held_back", "G1", True)
    [alert] = settled(change, standing)
    found = said(change, standing=standing, alerts=(alert,))["U3"]
    assert (found.status, found.by) == ("held_back", "G1")


def test_a_guard_that_is_out_of_order_or_speaks_of_others_holds_nothing_back() -> None:
    change = statement(1, balance_total=5000.0, complaint_open=True)
    for given in ({"enabled": False}, {"about": ("household",)}):
        guard = COMPLAINT._replace(declared=msgspec.structs.replace(COMPLAINT.declared, **given))
        assert said(change, (SAVINGS, guard))["U3"].status == "holds"
    assert said(change, broken={"G1": "met a text"})["U3"].status == "holds"


def test_a_cooldown_says_until_when_it_lasts() -> None:
    standing = Standing(cooled={"R4": NOON + 20 * DAY})
    found = said(statement(1, **LEAVING), standing=standing)["R4"]
    assert (found.status, found.cooling_until) == ("cooling_down", NOON + 20 * DAY)
    assert said(statement(1, at=NOON + 21 * DAY, **LEAVING), standing=standing)["R4"].status == "holds"


def test_what_was_suppressed_when_it_began_is_said_once_its_cooldown_is_over() -> None:
    standing, change = Standing(cooled={"R4": NOON + 20 * DAY}), statement(1, **LEAVING)
    assert settled(change, standing) == ()
    assert said(change, standing=standing)["R4"].status == "cooling_down"
    later = statement(2, at=NOON + 21 * DAY, **LEAVING)
    assert said(later, standing=standing)["R4"].status == "holds"
    [alert] = settled(later, standing)
    assert said(later, standing=standing, alerts=(alert,))["R4"].alert_id == alert.alert_id


def test_what_holds_on_though_its_alert_is_over_was_said_already() -> None:
    standing, change = Standing(), statement(1, **LEAVING)
    [alert] = settled(change, standing)
    found = said(change, standing=standing)["R4"]
    assert (found.status, found.holds, found.alert_id) == ("already_said", True, alert.alert_id)


def test_a_moment_at_which_its_rule_was_silent_is_passed_over() -> None:
    standing, change = Standing(), statement(1, moments=[moment("m1", NOON)])
    assert settled(change, standing, frozenset({"R1"})) == ()
    assert said(change, standing=standing, throttled=frozenset({"R1"}))["R1"].status == "throttled"
    assert said(change, standing=standing)["R1"].status == "passed_over"
    standing.cooled["R1"] = NOON + DAY
    assert said(change, standing=standing)["R1"].status == "cooling_down"


def test_a_reason_that_stays_for_its_time_says_that_it_holds_no_longer() -> None:
    stays, standing = rule("R5", when=("salary_missed >= 1.0",), stays_said_days=7), Standing()
    [alert] = settle(statement(1, salary_missed=1.0), standing, [], judge(statement(1, salary_missed=1.0), rules(stays),
                     CEL), terms()).changed  # fmt: skip
    found = said(statement(2, at=NOON + DAY), (stays,), standing, (alert,))["R5"]
    assert (found.status, found.holds, found.alert_id) == ("stays_said", False, alert.alert_id)
    assert said(statement(3, at=NOON + 9 * DAY), (stays,), standing, (alert,))["R5"].status == "not"


def test_a_paused_rule_says_so_of_whom_it_has_not_spoken() -> None:
    change = statement(1, **LEAVING)
    assert said(change, paused=frozenset({"R4"}))["R4"].status == "paused"
    assert said(statement(1), paused=frozenset({"R4"}))["R4"].status == "not"


def test_a_throttled_rule_says_so() -> None:
    standing, change, throttled = Standing(), statement(1, **LEAVING), frozenset({"R4"})
    assert settled(change, standing, throttled) == ()
    assert said(change, standing=standing, throttled=throttled)["R4"].status == "throttled"


@pytest.mark.parametrize("name", ["complaint_open", "fraud_case"])
def test_a_guard_that_cannot_be_judged_says_what_it_misses(name: str) -> None:
    found = said(statement(1, missing=[name]))["G1"]
    assert (found.status, found.missing, found.holds) == ("missing", [name], None)


def test_whatever_holds_here_is_what_judging_says() -> None:
    change = statement(1, moments=[moment("m1", NOON)], complaint_open=True, balance_total=5000.0, **LEAVING)
    judged = {one.rule.id for one in judge(change, rules(*ALL), CEL) if one.outcome == "holds"}
    assert {name for name, one in said(change).items() if one.holds} == judged
