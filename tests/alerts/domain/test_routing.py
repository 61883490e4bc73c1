"""Who gets an alert, when, and what time alone does to it."""

from datetime import UTC, datetime

import pytest

from services.alerts.domain.alert import Alert, Outcome, State, step
from services.alerts.domain.lifecycle import Actor, StepRequest, act
from services.alerts.domain.reminding import await_outcome, next_look, remind
from services.alerts.domain.routing import Place, follow_owner, hand_over, owner_for, route
from services.alerts.domain.rules import Desk, Role, WorkingHours
from services.alerts.domain.standing import Standing
from services.alerts.domain.terms import answer_by, grade
from services.failures import Rejected
from tests.alerts.told import DAY, HOUR, NOON, terms


def alert(number: int = 1, **given: object) -> Alert:
    kept = {"owner": "M-1", "rank": float(number), "opened_at": NOON, "expires_at": NOON + 30 * DAY, **given}
    return Alert(alert_id=f"al_{number}", customer_id=f"c{number}", situation="leaving", kind="retention", **kept)  # type: ignore[arg-type]  # fields by name


def test_the_owner_is_the_delegate_while_away_and_the_branch_where_there_is_none() -> None:
    assert owner_for(Place("M-1", "BJ"), "manager", Desk()) == "M-1"
    assert owner_for(Place("M-2", "BJ"), "care", Desk()) == "M-2"
    assert owner_for(Place("", "BJ"), "branch", Desk()) == "queue:BJ"


def test_the_greatest_go_first_and_the_rest_wait_visibly() -> None:
    given = [alert(1), alert(2), alert(3)]
    route(given, {"M-1": 1}, terms(Desk(daily_capacity=3)), NOON)
    assert [(one.state, one.waiting) for one in given] == [("new", "capacity"), ("routed", ""), ("routed", "")]


def test_with_new_room_the_next_one_comes_up() -> None:
    late = alert(1)
    route([late], {"M-1": 3}, terms(Desk(daily_capacity=3)), NOON)
    assert late.waiting == "capacity"
    route([late], {}, terms(Desk(daily_capacity=3)), NOON + DAY)
    assert (late.state, late.waiting) == ("routed", "")


def test_what_a_guard_holds_back_takes_no_place() -> None:
    held = alert(1, waiting="G1")
    assert route([held], {}, terms(), NOON) == []
    assert held.state == "new"


def test_the_service_level_runs_in_working_hours() -> None:
    noon_monday = NOON
    assert answer_by(noon_monday, 4, "", terms()) == noon_monday + 4 * HOUR
    assert answer_by(noon_monday, 5, "", terms()) == noon_monday + 5 * HOUR, "when the desk closes"
    assert answer_by(noon_monday, 6, "", terms()) == noon_monday + DAY - 3 * HOUR + HOUR
    friday = NOON + 4 * DAY
    assert answer_by(friday, 8, "", terms()) == friday + 3 * DAY  # five hours on Friday, three on Monday


def test_a_day_begins_at_midnight_of_the_desk() -> None:
    midnight, on = NOON + 12 * HOUR, terms()
    assert (on.day_of(midnight), on.day_of(midnight - 1)) == (on.day_of(NOON) + 1, on.day_of(NOON))
    assert on.working_day_of(midnight + 4 * DAY) == on.day_of(NOON) + 7, "Saturday has begun"


@pytest.mark.parametrize(("month", "utc_hour"), [(1, 8), (7, 7)])
def test_a_desk_opens_by_its_own_clocks_in_winter_and_in_summer(month: int, utc_hour: int) -> None:
    prague = terms(Desk(hours=WorkingHours(zone="Europe/Prague", opens=9, closes=17)))
    night = int(datetime(2026, month, 14, tzinfo=UTC).timestamp()) * 1000  # a Wednesday, a Tuesday
    assert answer_by(night, 1, "", prague) == night + (utc_hour + 1) * HOUR


@pytest.mark.parametrize(("zone", "friday", "monday"), [
    ("Europe/Prague", "2026-10-23T16:00:00+02:00", "2026-10-26T16:00:00+01:00"),
    ("Europe/Prague", "2026-03-27T16:00:00+01:00", "2026-03-30T16:00:00+02:00"),
    ("America/New_York", "2026-10-30T16:00:00-04:00", "2026-11-02T16:00:00-05:00"),
    ("Asia/Shanghai", "2026-10-30T16:00:00+08:00", "2026-11-02T16:00:00+08:00"),
])  # fmt: skip
def test_a_day_to_answer_ends_by_the_clocks_of_its_end_where_they_were_changed_at_the_weekend(
    zone: str, friday: str, monday: str
) -> None:
    there = terms(Desk(hours=WorkingHours(zone=zone, opens=9, closes=17)))
    begun, end = (int(datetime.fromisoformat(one).timestamp()) * 1000 for one in (friday, monday))
    assert answer_by(begun, 8, "", there) == end


def test_a_calendar_without_a_working_day_puts_nothing_off_for_ever() -> None:
    assert answer_by(NOON, 4, "", terms()._replace(works=lambda day: False)) == NOON + 400 * DAY


def test_a_gold_customer_is_answered_in_half_the_time() -> None:
    assert answer_by(NOON, 4, "gold", terms()) == NOON + 2 * HOUR


def test_grades_follow_severity_and_tier() -> None:
    by_tier = {tier: "".join(grade(severity, tier) for severity in (1, 2, 3)) for tier in ("gold", "profit", "general")}
    assert by_tier == {"gold": "BAA", "profit": "CBA", "general": "CCB"}


def test_first_a_reminder_then_escalation_each_once() -> None:
    one, on = alert(), terms(Desk(superiors={"M-1": "M-9"}))
    route([one], {}, on, NOON)
    moments: list[str] = []
    now = NOON
    while (look := next_look(one, on)) and len(moments) < 5:
        now = max(now, look)
        assert remind(one, on, now)
        assert not remind(one, on, now)
        moments.append(one.history[-1].action)
    assert moments == ["remind", "escalate", "expire"]
    assert one.history[-2].note == "to M-9"


def test_the_reminder_comes_in_working_hours_and_not_on_a_day_off() -> None:
    one, friday = alert(), NOON + 4 * DAY
    one.respond_within_hours = 8  # five hours on Friday, three on Monday
    route([one], {}, terms(), friday)
    assert next_look(one, terms()) == friday + 3 * DAY - 2 * HOUR  # six of eight


LI = Actor("Li", "M-1")


def claimed() -> Alert:
    one = alert()
    route([one], {}, terms(), NOON)
    act(one, StepRequest("claim"), LI, frozenset(), NOON)
    return one


def actions(one: Alert) -> list[str]:
    return [step.action for step in one.history]


def test_who_has_claimed_an_alert_and_plans_nothing_is_reminded_and_then_the_superior_is_told() -> None:
    one, on = claimed(), terms(Desk(superiors={"M-1": "M-9"}))
    while look := next_look(one, on):
        assert remind(one, on, look)
        assert one.state == "claimed"
    assert actions(one)[-2:] == ["remind", "escalate"]
    assert (one.history[-1].at, one.history[-1].to, one.escalated_to) == (one.due_at, "M-9", "M-9")
    assert not remind(one, on, NOON + 40 * DAY)


def test_the_superior_to_whom_it_was_escalated_may_work_it() -> None:
    one, boss = claimed(), Actor("Bo", "M-9")
    with pytest.raises(Rejected, match="M-1 answers for this customer"):
        act(one, StepRequest("contact"), boss, frozenset(), NOON)
    assert remind(one, terms(Desk(superiors={"M-1": "M-9"})), one.due_at)
    act(one, StepRequest("contact"), boss, frozenset(), NOON + DAY)
    assert (one.state, one.history[-1].actor) == ("contacted", "Bo")


def test_the_superior_who_has_claimed_it_has_it_in_hand_after_putting_it_off_as_well() -> None:
    one, boss, desk = alert(), Actor("Bo", "M-9"), terms(Desk(superiors={"M-1": "M-9"}))
    route([one], {}, desk, NOON)
    assert remind(one, desk, one.due_at)
    for asked in (StepRequest("claim"), StepRequest("snooze", until=NOON + 3 * DAY)):
        act(one, asked, boss, frozenset(), NOON + 2 * DAY)
    assert remind(one, desk, NOON + 3 * DAY)
    act(one, StepRequest("contact"), boss, frozenset(), NOON + 3 * DAY)
    assert (one.owner, one.claimed_by, one.state) == ("M-9", "Bo", "contacted")


def test_a_planned_or_a_noted_contact_answers_in_time() -> None:
    for asked in (StepRequest("plan", until=NOON + 3 * DAY), StepRequest("contact")):
        one = claimed()
        due = one.due_at
        act(one, asked, LI, frozenset(), NOON)
        if asked.action == "contact":
            await_outcome(one, terms(), NOON)
        assert not remind(one, terms(), due)


def test_after_an_outage_that_outlasted_the_service_level_only_the_escalation_is_told() -> None:
    one = claimed()
    assert remind(one, terms(), one.due_at + DAY)
    assert (actions(one)[-1], one.history[-1].note) == ("escalate", "the service level has passed")
    assert not remind(one, terms(), one.due_at + DAY)


def test_an_alert_put_off_comes_back_to_who_claimed_it_when_its_time_has_come_with_its_time_to_answer_anew() -> None:
    one, until = claimed(), NOON + 7 * DAY
    before = one.due_at
    act(one, StepRequest("snooze", until=until), LI, frozenset(), NOON)
    assert next_look(one, terms()) == until
    assert [remind(one, terms(), now) for now in (before, until - 1, until, until)] == [False, False, True, False]
    assert (one.state, one.claimed_by, one.snoozed_until) == ("claimed", "Li", 0)
    assert one.due_at == before + 7 * DAY


def test_an_untouched_alert_follows_its_customer_to_another_owner() -> None:
    one = alert()
    route([one], {}, terms(), NOON)
    assert follow_owner(one, Place("M-2", "BJ"), Desk(), NOON + HOUR)
    assert (one.owner, one.history[-1].note) == ("M-2", "from M-1 to M-2")
    act(one, StepRequest("claim"), Actor("Wu", "M-2"), frozenset(), NOON + HOUR)
    assert not follow_owner(one, Place("M-3", "BJ"), Desk(), NOON + 2 * HOUR)


def test_what_is_the_work_of_a_role_goes_to_whom_the_desk_names_for_it() -> None:
    desk, place = Desk(roles={"care": "queue:care"}), Place("M-1", "BJ")
    assert owner_for(place, "care", desk) == "queue:care"
    assert owner_for(place, "manager", desk) == "M-1"
    one = alert()
    one.role = "care"
    assert follow_owner(one, place, desk, NOON)
    assert one.owner == "queue:care"


def test_a_planned_contact_that_passes_without_a_word_is_told_to_the_superior_once() -> None:
    one, on = claimed(), terms(Desk(superiors={"M-1": "M-9"}))
    act(one, StepRequest("plan", until=NOON + DAY), LI, frozenset(), NOON)
    told: list[str] = []
    while (look := next_look(one, on)) and len(told) < 5:
        assert remind(one, on, look)
        told.append(one.history[-1].action)
    assert told == ["remind", "escalate"]
    assert one.escalated_to == "M-9"
    assert one.escalated_at > NOON + DAY
    act(one, StepRequest("contact"), LI, frozenset(), one.escalated_at)
    await_outcome(one, on, one.escalated_at)
    assert next_look(one, on) == one.due_at
    assert one.escalated_to == "M-9", "who was told of it goes on seeing it"


def test_a_contact_of_which_nothing_is_noted_is_called_to_mind_and_then_told_to_the_superior() -> None:
    one, on = claimed(), terms(Desk(superiors={"M-1": "M-9"}, outcome_within_hours=40))
    act(one, StepRequest("contact"), LI, frozenset(), NOON)
    await_outcome(one, on, NOON)
    assert one.due_at == NOON + 7 * DAY  # a week of eight hours a day
    told: list[tuple[int, str]] = []
    while (look := next_look(one, on)) and len(told) < 5:
        assert not remind(one, on, look - 1)
        assert remind(one, on, look)
        told.append((look, one.history[-1].action))
    assert told == [(NOON + 7 * DAY, "remind"), (NOON + 14 * DAY, "escalate")]
    assert (one.state, one.escalated_to) == ("contacted", "M-9")


def test_after_an_outage_that_outlasted_both_only_the_superior_is_told_of_a_contact_without_outcome() -> None:
    one = claimed()
    act(one, StepRequest("contact"), LI, frozenset(), NOON)
    await_outcome(one, terms(), NOON)
    assert remind(one, terms(), NOON + 60 * DAY)
    assert actions(one)[-2:] == ["contact", "escalate"]
    assert next_look(one, terms()) == 0


def test_after_an_outage_that_outlasted_a_plan_only_the_superior_is_told() -> None:
    one = claimed()
    act(one, StepRequest("plan", until=NOON + DAY), LI, frozenset(), NOON)
    assert remind(one, terms(), NOON + 9 * DAY)
    assert actions(one)[-2:] == ["plan", "escalate"]
    assert next_look(one, terms()) == 0


def test_what_is_withdrawn_or_held_back_gives_its_place_of_the_day_back() -> None:
    for action, state in (("withdraw", "withdrawn"), ("expire", "expired"), ("hold", "new")):
        one = alert()
        route([one], {}, terms(), NOON)
        assert one.routed_day >= 0
        step(one, NOON + HOUR, "system", action, state)  # type: ignore[arg-type]  # a state by name
        assert one.routed_day == -1


def test_what_was_worked_and_closed_keeps_its_place_of_the_day() -> None:
    one = claimed()
    act(one, StepRequest("outcome", outcome=Outcome(result="saved")), LI, frozenset(), NOON + HOUR)
    assert one.routed_day >= 0
    at_once = alert()
    route([at_once], {}, terms(), NOON)
    act(at_once, StepRequest("false_alarm"), LI, frozenset(), NOON + HOUR)
    assert at_once.routed_day >= 0


def test_an_alert_follows_its_customer_until_somebody_gives_it_away_or_takes_it_up() -> None:
    to = Place("M-2", "SH")
    follows, given, taken, same = alert(1), alert(2), claimed(), alert(4, owner="M-2", state="routed")
    step(given, NOON, "Bo", "reassign", "routed", "to M-1")
    assert [follow_owner(one, to, Desk(), NOON) for one in (follows, given, taken, same)] == [True, False, False, False]
    assert [one.owner for one in (follows, given, taken, same)] == ["M-2", "M-1", "M-1", "M-2"]
    assert (follows.branch, same.history) == ("SH", [])
    assert follows.history == [], "nobody had it yet"


def test_what_had_been_given_away_and_is_nobodys_any_more_follows_its_customer() -> None:
    """Work that had begun went with the other of two who part."""
    parted = alert(owner="")
    step(parted, NOON, "Bo", "reassign", "new", "to M-1")
    assert follow_owner(parted, Place("M-2", "SH"), Desk(), NOON)
    assert parted.owner == "M-2"


@pytest.mark.parametrize(
    ("state", "role", "roles", "owner"),
    [
        ("claimed", "manager", {}, "M-2"), ("planned", "care", {"care": "M-3"}, "M-3"),
        ("routed", "manager", {}, None), ("claimed", "care", {"care": "M-1"}, None),
    ],
)  # fmt: skip
def test_what_one_who_has_left_had_in_hand_goes_to_whoever_answers_now_with_its_time_anew(
    state: State, role: Role, roles: dict[Role, str], owner: str | None
) -> None:
    """What is in nobody's hands follows its customer by itself; while nobody else does it, it stays."""
    one = alert(state=state, role=role, due_at=NOON + HOUR, reminded_at=NOON)
    standing = Standing(owner="M-2", acting="M-1")
    assert hand_over(one, standing, {"M-1"}, terms(Desk(roles=roles)), NOON + DAY) is (owner is not None)
    assert one.owner == (owner or "M-1")
    assert (one.due_at > NOON + DAY, one.reminded_at == 0) == (owner is not None, owner is not None)


def test_of_equal_rank_the_oldest_finds_room_and_what_somebody_has_is_not_given_out_again() -> None:
    younger, older, had = alert(rank=1.0, opened_at=NOON + 1), alert(rank=1.0), alert(2, state="routed")
    assert route([younger, older, had], {}, terms(Desk(daily_capacity=1)), NOON) == [older, younger]
    assert (older.state, younger.waiting, had.history) == ("routed", "capacity", [])


def test_a_queue_has_room_for_all_and_an_owner_for_as_many_as_are_declared() -> None:
    shared, own = [alert(n, owner="queue:BJ") for n in (1, 2)], [alert(n, owner="M-2") for n in (3, 4)]
    route([*shared, *own], {}, terms(Desk(daily_capacity=1, capacities={"M-2": 2})), NOON)
    assert [one.state for one in (*shared, *own)] == ["routed"] * 4


def test_that_there_is_no_room_is_told_once() -> None:
    late = alert()
    assert route([late], {"M-1": 20}, terms(), NOON) == [late]
    assert route([late], {"M-1": 20}, terms(), NOON + HOUR) == []
    assert actions(late) == ["hold"]


def test_on_a_day_off_what_comes_takes_a_place_of_the_next_working_day_and_what_waits_goes_on_waiting() -> None:
    saturday, on = NOON + 5 * DAY, terms()
    comes, waits = alert(1), alert(2, waiting="capacity")
    assert route([comes, waits], {}, on, saturday) == [comes]
    assert comes.routed_day == on.day_of(saturday) + 2
    assert route([waits], {}, on, saturday + 2 * DAY) == [waits]


def test_an_alert_without_a_time_to_expire_never_does() -> None:
    assert not remind(alert(expires_at=0), terms(), NOON + 400 * DAY)


def test_a_planned_contact_is_called_to_mind_once_and_told_to_the_superior_once() -> None:
    one, at = claimed(), NOON + DAY
    act(one, StepRequest("plan", until=at), LI, frozenset(), NOON)
    missed = answer_by(at, one.respond_within_hours, "", terms())
    told = [remind(one, terms(), now) for now in (at - 1, at, at + 1, missed - 1, missed, missed + 1, missed + DAY)]
    assert told == [False, True, False, False, True, False, False]
    assert [said.note for said in one.history[-2:]] == ["the planned contact is due", "the planned contact has passed"]
    assert actions(one)[-2:] == ["remind", "escalate"]
