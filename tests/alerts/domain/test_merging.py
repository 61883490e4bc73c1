"""Alerts of customers who become one, and two again."""

from typing import Any

from services.alerts.domain.alert import Alert
from services.alerts.domain.judging import judge
from services.alerts.domain.merging import Side, merge, part
from services.alerts.domain.settling import settle
from services.alerts.domain.standing import Standing
from tests.alerts.told import CEL, DAY, MISSED, NOON, OUTFLOW, SAVINGS, moment, rules, statement, terms

RULES = rules(MISSED, OUTFLOW, SAVINGS)


def takes(customer_id: str, version: int, standing: Standing, alerts: list[Alert], **given: Any) -> list[Alert]:
    change = statement(version, customer_id, **given)
    settled = settle(change, standing, [one for one in alerts if one.is_open], judge(change, RULES, CEL), terms())
    known = {one.alert_id for one in alerts}
    return [*alerts, *(one for one in settled.changed if one.alert_id not in known)]


def test_alerts_of_one_situation_join_and_others_move() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)], balance_total=5e3)
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    assert {(alert.situation, alert.state, alert.customer_id) for alert in theirs} == {
        ("leaving", "superseded", "a"), ("growth", "new", "b"),
    }  # fmt: skip
    assert [(said.rule, said.origin) for said in ours[0].evidence] == [("R4", ""), ("R1", "a")]


def test_what_was_acted_on_before_the_merge_is_not_raised_again() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, []), terms(), NOON + DAY)
    after = takes("b", 2, other, theirs, moments=[moment("x", NOON)])
    assert [alert.customer_id for alert in after] == ["b"]


def test_of_two_cooldowns_the_longer_one_stands_after_a_merge() -> None:
    one, other = Standing(cooled={"R1": NOON, "R4": NOON + DAY}), Standing(cooled={"R1": NOON + DAY, "R4": NOON})
    merge(Side("a", one, []), Side("b", other, []), terms(), NOON)
    assert other.cooled == {"R1": NOON + DAY, "R4": NOON + DAY}


def test_a_split_parts_what_the_merge_had_joined() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    ours[0].state, ours[0].claimed_by = "claimed", "the manager of both"
    parted = part(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert {alert.customer_id: (alert.state, alert.claimed_by) for alert in parted} == {
        "a": ("new", ""), "b": ("claimed", "the manager of both"),
    }  # fmt: skip
    assert {alert.customer_id: [said.rule for said in alert.evidence] for alert in parted} == {"a": ["R1"], "b": ["R4"]}
    assert {alert.customer_id: (alert.severity, alert.title.en) for alert in parted} == {"a": (2, "R1"), "b": (1, "R4")}
    again = takes("a", 3, one, [alert for alert in parted if alert.customer_id == "a"], moments=[moment("x", NOON)])
    assert len(again) == 1
    assert one.merged_into == ""


def test_an_alert_that_had_only_moved_moves_back() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, []), terms(), NOON + DAY)
    (back,) = part(Side("a", one, []), Side("b", other, theirs), terms(), NOON + 2 * DAY)
    assert (back.customer_id, back.state) == ("a", "new")


def test_what_both_say_of_one_moment_is_kept_of_each_and_work_that_was_begun_goes_on() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], moments=[moment("x", NOON)])
    theirs[0].state, theirs[0].claimed_by = "claimed", "Li Na"
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    assert ([said.origin for said in ours[0].evidence], ours[0].state, ours[0].claimed_by) == (
        ["", "a"], "claimed", "Li Na",
    )  # fmt: skip
    parted = part(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert {alert.customer_id: len(alert.evidence) for alert in parted} == {"a": 1, "b": 1}
    assert one.firings.keys() == other.firings.keys() == {"R1|x"}


def test_work_that_was_begun_for_one_of_two_goes_with_that_one_when_they_part() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    theirs[0].state, theirs[0].claimed_by, theirs[0].owner, theirs[0].due_at = "planned", "Li Na", "M-2", NOON + DAY
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    parted = part(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert {alert.customer_id: (alert.state, alert.claimed_by, alert.owner, alert.due_at) for alert in parted} == {
        "a": ("planned", "Li Na", "M-2", NOON + DAY), "b": ("new", "", "", 0),
    }  # fmt: skip
    assert {alert.customer_id: alert.history[-1].note for alert in parted} == {
        "a": f"from {ours[0].alert_id} of b", "b": "a stands alone again",
    }  # fmt: skip


def test_what_is_closed_when_two_part_is_not_raised_again() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, []), terms(), NOON + DAY)
    theirs[0].state = "closed"
    assert part(Side("a", one, []), Side("b", other, theirs), terms(), NOON + 2 * DAY) == []
    assert takes("a", 3, one, [], moments=[moment("x", NOON)]) == []
