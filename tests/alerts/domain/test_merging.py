"""Alerts of customers who become one, and two again."""

from typing import Any

import pytest

from services.alerts.domain.alert import Alert, step
from services.alerts.domain.judging import judge
from services.alerts.domain.merging import Side, departed, is_spoken_for, meets, merge, merged_into, split, withdraw_all
from services.alerts.domain.settling import settle
from services.alerts.domain.standing import Firing, Standing
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
    assert (ours[0].severity, ours[0].title.en) == (2, "R1")
    leaving = next(alert for alert in theirs if alert.situation == "leaving")
    assert [(one.history[-1].action, one.history[-1].note) for one in (ours[0], leaving)] == [
        ("merge", f"with {leaving.alert_id} of a"), ("supersede", f"by {ours[0].alert_id} of b"),
    ]  # fmt: skip


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
    parted = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
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
    assert (one.merged_into, theirs[0].history[-1].action, theirs[0].history[-1].note) == ("b", "move", "a became b")
    (back,) = split(Side("a", one, []), Side("b", other, theirs), terms(), NOON + 2 * DAY)
    assert (back.customer_id, back.state, back.history[-1].note) == ("a", "new", "a stands alone again")


def test_what_both_say_of_one_moment_is_kept_of_each_and_work_that_was_begun_goes_on() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], moments=[moment("x", NOON)])
    theirs[0].state, theirs[0].claimed_by = "claimed", "Li Na"
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    assert ([said.origin for said in ours[0].evidence], ours[0].state, ours[0].claimed_by) == (
        ["", "a"], "claimed", "Li Na",
    )  # fmt: skip
    parted = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert {alert.customer_id: len(alert.evidence) for alert in parted} == {"a": 1, "b": 1}
    assert one.firings.keys() == other.firings.keys() == {"R1|x"}


def test_work_that_was_begun_for_one_of_two_goes_with_that_one_when_they_part() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    theirs[0].state, theirs[0].claimed_by, theirs[0].owner, theirs[0].due_at = "planned", "Li Na", "M-2", NOON + DAY
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    parted = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert {alert.customer_id: (alert.state, alert.claimed_by, alert.owner, alert.due_at) for alert in parted} == {
        "a": ("planned", "Li Na", "M-2", NOON + DAY), "b": ("new", "", "", 0),
    }  # fmt: skip
    assert {alert.customer_id: alert.history[-1].note for alert in parted} == {
        "a": f"from {ours[0].alert_id} of b", "b": "a stands alone again",
    }  # fmt: skip


@pytest.mark.parametrize(("begun_for", "noted"), [("b", []), ("a", ["Li Na called"])])
def test_who_parts_takes_along_only_what_was_noted_of_him_or_her_and_nothing_of_the_other(
    begun_for: str, noted: list[str]
) -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    step(ours[0], NOON, "Wu", "claim", "new", "a matter of b alone")
    for alert in theirs if begun_for == "a" else ours:
        alert.state, alert.claimed_by = "claimed", "Li Na"
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    step(ours[0], NOON + DAY, "Li Na", "contact", "contacted", "Li Na called")
    left, back = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert [said.note for said in back.history] == [*noted, f"from {left.alert_id} of b"]
    assert "a matter of b alone" in {said.note for said in left.history}


def test_what_somebody_begins_for_the_other_after_two_have_parted_is_not_taken_along_when_they_part_once_more() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    theirs[0].state, theirs[0].claimed_by = "claimed", "Li Na"
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    left, back = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    left.state, left.claimed_by = "claimed", "Wu"
    merge(Side("a", one, [back]), Side("b", other, [left]), terms(), NOON + 3 * DAY)
    parted = split(Side("a", one, []), Side("b", other, [left]), terms(), NOON + 4 * DAY)
    assert {alert.customer_id: (alert.state, alert.claimed_by) for alert in parted} == {
        "a": ("new", ""), "b": ("claimed", "Wu"),
    }  # fmt: skip


def test_what_is_closed_when_two_part_is_not_raised_again() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, []), terms(), NOON + DAY)
    theirs[0].state = "closed"
    assert split(Side("a", one, []), Side("b", other, theirs), terms(), NOON + 2 * DAY) == []
    assert takes("a", 3, one, [], moments=[moment("x", NOON)]) == []


def test_only_what_is_open_on_both_sides_is_joined_and_all_that_changed_is_told() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)], balance_total=5e3)
    growth, leaving = sorted(theirs, key=lambda alert: alert.situation)
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    growth.state = ours[0].state = "closed"
    changed = merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    assert (changed, leaving.customer_id, leaving.state) == ([leaving], "b", "new")
    assert (growth.customer_id, growth.evidence[0].origin, len(ours[0].evidence)) == ("a", "", 1)
    first, second = (takes(name, 1, Standing(), [], moments=[moment("y", NOON)]) for name in "cd")
    assert merge(Side("c", Standing(), first), Side("d", Standing(), second), terms(), NOON) == [*second, *first]


def test_of_a_customer_who_becomes_nobody_what_is_open_ends_and_what_is_closed_stays() -> None:
    alerts = takes("a", 1, Standing(), [], moments=[moment("x", NOON)], balance_total=5e3)
    alerts[0].state = "closed"
    assert withdraw_all(alerts, NOON) == [alerts[1]]
    assert [one.state for one in alerts] == ["closed", "withdrawn"]


def test_what_was_said_of_one_is_so_through_every_merge_and_goes_back_to_that_one() -> None:
    one, two, three = Standing(), Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    theirs[0].state = "claimed"
    ours = takes("b", 1, two, [], has_salary=True, salary_missed=1.0)
    last = takes("c", 1, three, [], moments=[moment("z", NOON)])
    merge(Side("a", one, theirs), Side("b", two, ours), terms(), NOON + DAY)
    merge(Side("b", two, ours), Side("c", three, last), terms(), NOON + 2 * DAY)
    assert [(said.rule, said.origin) for said in last[0].evidence] == [("R1", ""), ("R4", "b"), ("R1", "a")]
    assert (last[0].begun_for, last[0].severity, ours[0].state) == ("a", 2, "superseded")
    firings = {key: (firing.origin, firing.alert_id) for key, firing in three.firings.items()}
    assert firings == {"R1|z": ("", last[0].alert_id), "R1|x": ("a", last[0].alert_id), "R4|": ("b", last[0].alert_id)}
    assert (one.firings, two.firings) == ({}, {})
    assert departed(Side("c", three, last), ["b"]) == {"a"}
    _, back = split(Side("a", one, []), Side("c", three, last), terms(), NOON + 3 * DAY)
    assert (back.customer_id, back.state, back.opened_at) == ("a", "claimed", last[0].opened_at)
    assert {key: firing.alert_id for key, firing in one.firings.items()} == {"R1|x": back.alert_id}
    assert three.firings.keys() == {"R1|z", "R4|"}


def test_work_that_both_have_begun_stays_with_the_one_they_become_and_so_does_what_neither_has() -> None:
    for state in ("claimed", "new"):
        theirs, ours = (takes(name, 1, Standing(), [], moments=[moment(name, NOON)]) for name in "ab")
        theirs[0].owner, ours[0].owner = "theirs", "ours"
        theirs[0].state = ours[0].state = state
        merge(Side("a", Standing(), theirs), Side("b", Standing(), ours), terms(), NOON)
        assert (ours[0].owner, ours[0].begun_for) == ("ours", "")


def test_what_a_cooldown_held_back_of_one_goes_back_to_that_one() -> None:
    one, other = Standing(firings={"R1|x": Firing("R1")}), Standing()
    merge(Side("a", one, []), Side("b", other, []), terms(), NOON)
    split(Side("a", one, []), Side("b", other, []), terms(), NOON + DAY)
    assert (list(one.firings), list(other.firings)) == (["R1|x"], [])


def test_what_a_cooldown_held_back_of_one_and_both_say_since_stays_with_whom_it_was_said_of() -> None:
    one, other = Standing(firings={"R4|": Firing("R4")}), Standing()
    merge(Side("a", one, []), Side("b", other, []), terms(), NOON)
    found = takes("b", 2, other, [], at=NOON + DAY, merged=["a"], has_salary=True, salary_missed=1.0)
    assert split(Side("a", one, []), Side("b", other, found), terms(), NOON + 2 * DAY) == []
    assert (one.firings, other.firings["R4|"].alert_id) == ({}, found[0].alert_id)


def test_what_was_said_goes_before_what_a_cooldown_held_back_whoever_goes_into_whom() -> None:
    for gone, into in (("said", ""), ("", "said")):
        one, other = (Standing(firings={"R1|x": Firing("R1", alert_id=name)}) for name in (gone, into))
        merge(Side("a", one, []), Side("b", other, []), terms(), NOON)
        assert other.firings["R1|x"].alert_id == "said"


def test_what_of_one_has_ended_leaves_the_other_what_still_stands() -> None:
    """Both said it; of the one who goes it holds no longer."""
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    ours[0].evidence[1].ended_at = NOON + DAY
    kept, back = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert (kept.state, back.state) == ("new", "withdrawn")
    assert (one.firings, other.firings["R1|x"].alert_id) == ({}, kept.alert_id)


def test_what_has_ended_of_the_one_who_stays_is_the_others_alone_when_they_part() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    ours[0].evidence[0].ended_at = NOON + DAY
    kept, back = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert (kept.state, back.state) == ("withdrawn", "new")
    assert (one.firings["R1|x"].alert_id, other.firings) == (back.alert_id, {})


@pytest.mark.parametrize("has_ended", [False, True])
def test_what_was_said_of_two_stays_said_of_one_when_the_other_leaves_and_can_be_taken_back(has_ended: bool) -> None:
    """Of the one who leaves it was said first; it may hold of that one no longer."""
    one, two, three = Standing(), Standing(), Standing()
    missed = {"has_salary": True, "salary_missed": 1.0}
    alerts = takes("a", 1, one, [], **missed)
    merge(Side("a", one, alerts), Side("c", three, []), terms(), NOON)
    merge(Side("b", two, takes("b", 1, two, [], **missed)), Side("c", three, alerts), terms(), NOON + DAY)
    alerts[0].evidence[0].ended_at = NOON * has_ended
    kept, back = split(Side("a", one, []), Side("c", three, alerts), terms(), NOON + 2 * DAY)
    assert {key: (firing.alert_id, firing.origin) for key, firing in three.firings.items()} == {
        "R4|": (kept.alert_id, "b")
    }
    assert [firing.alert_id for firing in one.firings.values()] == [back.alert_id] * (not has_ended)
    takes("c", 2, three, [kept], merged=["b"])
    assert (kept.state, three.firings) == ("withdrawn", {})


def test_only_of_what_is_open_a_customer_has_departed() -> None:
    theirs, ours = (takes(name, 1, Standing(), [], moments=[moment("x", NOON)]) for name in "ab")
    merge(Side("a", Standing(), theirs), Side("b", Standing(), ours), terms(), NOON)
    ours[0].evidence[0].origin = "b"
    assert departed(Side("b", Standing(), ours), []) == {"a"}
    ours[0].state = "closed"
    assert departed(Side("b", Standing(), ours), []) == set()


@pytest.mark.parametrize(
    ("other", "meets_it"),
    [(Standing(as_of=NOON), True), (Standing(as_of=NOON + 1), False), (Standing(as_of=NOON, merged_into="b"), False)],
)
def test_a_statement_speaks_for_another_unless_that_one_has_spoken_since_or_is_one_with_it(
    other: Standing, meets_it: bool
) -> None:
    assert meets(statement(1, "b", at=NOON, merged=["a"]), other) is meets_it


@pytest.mark.parametrize(
    ("standing", "at", "kind", "spoken"),
    [
        (Standing(merged_into="b", as_of=NOON), NOON, "person", True),
        (Standing(merged_into="b", as_of=NOON), NOON + 1, "person", False),
        (Standing(merged_into="b", as_of=NOON), NOON, "gone", False),
        (Standing(merged_into="b", as_of=NOON, kind="gone"), NOON, "person", False),
        (Standing(as_of=NOON), NOON, "person", False),
    ],
)  # fmt: skip
def test_what_comes_late_of_one_who_was_spoken_for_is_passed_over_but_never_that_it_is_gone(
    standing: Standing, at: int, kind: str, spoken: bool
) -> None:
    assert is_spoken_for(statement(1, "a", at=at, kind=kind), standing) is spoken


def test_only_one_who_is_gone_has_an_heir_the_first_that_is_named() -> None:
    assert merged_into(statement(1, "a", kind="gone", aliases=["b", "a-former"])) == "b"
    assert merged_into(statement(1, "a", kind="gone")) == merged_into(statement(1, "a", aliases=["a-former"])) == ""


def test_what_came_along_is_withdrawn_with_its_cause_where_the_other_had_closed_the_same() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], has_salary=True, salary_missed=1.0)
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    step(ours[0], NOON, "anna", "outcome", "closed")
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    takes("b", 2, other, [*ours, *theirs], has_salary=True)
    assert [(alert.state, alert.customer_id) for alert in (*ours, *theirs)] == [("closed", "b"), ("withdrawn", "b")]
    assert other.firings == {}


def test_who_came_by_way_of_another_takes_along_what_was_noted_since_and_nothing_of_the_last() -> None:
    one, two, three = Standing(), Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    theirs[0].state, theirs[0].claimed_by = "claimed", "Li Na"
    ours = takes("b", 1, two, [], has_salary=True, salary_missed=1.0)
    last = takes("c", 1, three, [], moments=[moment("z", NOON)])
    step(last[0], NOON, "Wu", "note", "new", "a matter of c alone")
    merge(Side("a", one, theirs), Side("b", two, ours), terms(), NOON + DAY)
    merge(Side("b", two, ours), Side("c", three, last), terms(), NOON + 2 * DAY)
    step(last[0], NOON + 3 * DAY, "Li Na", "contact", "contacted", "Li Na called")
    left, back = split(Side("a", one, []), Side("c", three, last), terms(), NOON + 4 * DAY)
    assert [said.note for said in back.history] == ["Li Na called", f"from {left.alert_id} of c"]


def test_who_parts_a_second_time_takes_along_only_what_was_noted_since_the_work_was_last_taken_over() -> None:
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    for note in ("Li Na called", "Li Na called again"):
        theirs[0].state, theirs[0].claimed_by = "claimed", "Li Na"
        merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
        step(ours[0], NOON + DAY, "Li Na", "contact", "contacted", note)
        _, back = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
        assert [said.note for said in back.history[:-1]] == [note]
        step(ours[0], NOON + 3 * DAY, "Wu", "note", "new", "a matter of b, and not of a")
        theirs = [back]


def test_neither_who_takes_it_up_again_nor_who_else_is_merged_makes_the_work_another_one() -> None:
    """Only what brought the work along is where it begins."""
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], has_salary=True, salary_missed=1.0)
    third, fourth = (takes(name, 1, Standing(), [], moments=[moment(name, NOON)]) for name in "de")
    theirs[0].state = "claimed"
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON)
    step(ours[0], NOON, "Li Na", "reassign", "routed", "given back")
    merge(Side("d", Standing(), third), Side("b", other, ours), terms(), NOON)
    step(ours[0], NOON, "Li Na", "claim", "claimed", "taken up again")
    merge(Side("e", Standing(), fourth), Side("b", other, ours), terms(), NOON)
    left, back = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + DAY)
    assert [said.note for said in back.history] == [
        "given back", f"with {third[0].alert_id} of d", "taken up again", f"with {fourth[0].alert_id} of e",
        f"from {left.alert_id} of b",
    ]  # fmt: skip


def test_what_is_remembered_of_neither_stays_said_of_both_when_they_part() -> None:
    """Its window is over, so that nothing would take it back."""
    one, other = Standing(), Standing()
    theirs = takes("a", 1, one, [], moments=[moment("x", NOON)])
    ours = takes("b", 1, other, [], moments=[moment("x", NOON)])
    merge(Side("a", one, theirs), Side("b", other, ours), terms(), NOON + DAY)
    other.firings.clear()
    parted = split(Side("a", one, []), Side("b", other, ours), terms(), NOON + 2 * DAY)
    assert {alert.customer_id: (alert.state, len(alert.evidence)) for alert in parted} == {
        "a": ("new", 1), "b": ("new", 1),
    }  # fmt: skip
    assert one.firings == other.firings == {}
