"""What may follow what in the hands of people, and what is refused."""

import pytest

from services.alerts.domain.alert import SYSTEM, Alert, Outcome, State, step
from services.alerts.domain.lifecycle import Action, Actor, IllegalStep, StepRequest, act, possible
from services.alerts.domain.routing import IN_HAND
from services.failures import Rejected
from tests.alerts.told import DAY, NOON

LI, WU, SUPERVISOR = Actor("Li", "M-1"), Actor("Wu", "M-2"), Actor("Chief")
NOBODY = frozenset[str]()
STEPS: dict[Action, StepRequest] = {
    "claim": StepRequest("claim"),
    "snooze": StepRequest("snooze", until=NOON + DAY),
    "plan": StepRequest("plan", until=NOON + DAY),
    "contact": StepRequest("contact", note="called, comes on Friday"),
    "outcome": StepRequest("outcome", outcome=Outcome(result="saved")),
    "reassign": StepRequest("reassign", to="M-2"),
    "false_alarm": StepRequest("false_alarm"),
}
AFTER: dict[Action, State] = {
    "claim": "claimed", "snooze": "snoozed", "plan": "planned", "contact": "contacted", "outcome": "closed",
    "reassign": "routed", "false_alarm": "closed",
}  # fmt: skip
LEGAL: dict[State, str] = {
    "new": "claim reassign false_alarm",
    "routed": "claim reassign false_alarm",
    "claimed": "snooze plan contact outcome reassign false_alarm",
    "snoozed": "plan contact outcome reassign false_alarm",
    "planned": "snooze plan contact outcome reassign false_alarm",
    "contacted": "snooze plan contact outcome reassign false_alarm",
    "closed": "",
    "withdrawn": "",
    "expired": "",
    "superseded": "",
}


def alert(state: State = "routed", **given: str) -> Alert:
    kept = {"owner": "M-1", "claimed_by": "Li" if state in IN_HAND else "", **given}
    return Alert(alert_id="al_1", customer_id="c1", situation="leaving", kind="retention", state=state, **kept)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("action", STEPS)
@pytest.mark.parametrize("state", LEGAL)
def test_each_state_takes_its_steps_and_refuses_all_others(state: State, action: Action) -> None:
    one = alert(state)
    if action in LEGAL[state].split():
        act(one, STEPS[action], LI, NOBODY, NOON)
        assert one.state == AFTER[action]
        assert [(step.actor, step.action, step.at, step.state) for step in one.history] == [
            ("Li", action, NOON, AFTER[action])
        ]
        return
    with pytest.raises(IllegalStep) as refused:
        act(one, STEPS[action], LI, NOBODY, NOON)
    assert set(refused.value.possible) == set(LEGAL[state].split())
    is_claimed = action == "claim" and one.is_open
    assert refused.value.reason == ("already_claimed" if is_claimed else "illegal_step")
    assert str(refused.value).endswith("nothing more") == (not LEGAL[state])
    assert one == alert(state)


@pytest.mark.parametrize("state", LEGAL)
def test_what_is_possible_is_told_of_each_state(state: State) -> None:
    assert set(possible(alert(state))) == set(LEGAL[state].split())


def test_who_comes_second_is_told_who_has_claimed_it() -> None:
    one = alert()
    act(one, STEPS["claim"], LI, NOBODY, NOON)
    with pytest.raises(IllegalStep, match="Li has claimed it") as refused:
        act(one, STEPS["claim"], SUPERVISOR, NOBODY, NOON)
    assert refused.value.reason == "already_claimed"
    with pytest.raises(IllegalStep, match="you have claimed it"):
        act(one, STEPS["claim"], LI, NOBODY, NOON)


@pytest.mark.parametrize("action", STEPS)
@pytest.mark.parametrize("state", IN_HAND)
def test_what_somebody_has_in_hand_another_who_answers_takes_over_before_working_it(
    state: State, action: Action
) -> None:
    one, both = alert(state), frozenset({"M-1", "M-2"})
    if action != "reassign":
        with pytest.raises(IllegalStep, match=r"Li has claimed it; possible now: reassign$") as refused:
            act(one, STEPS[action], WU, both, NOON)
        assert (refused.value.reason, refused.value.possible) == ("already_claimed", ["reassign"])
        assert one == alert(state)
    act(one, StepRequest("reassign", to="M-2"), WU, both, NOON)
    act(one, STEPS["claim"], WU, both, NOON)
    assert (one.owner, one.claimed_by) == ("M-2", "Wu")


@pytest.mark.parametrize("action", ["snooze", "plan", "contact", "outcome", "false_alarm"])
def test_who_oversees_all_portfolios_may_work_what_somebody_has_in_hand(action: Action) -> None:
    one = alert("claimed")
    act(one, STEPS[action], SUPERVISOR, NOBODY, NOON)
    assert (one.history[-1].actor, one.claimed_by) == ("Chief", "Li")


def test_what_is_in_nobodys_hands_any_more_is_in_those_of_whoever_goes_on() -> None:
    one, both = alert("planned", claimed_by=""), frozenset({"M-1", "M-2"})
    act(one, STEPS["contact"], WU, both, NOON)
    assert one.claimed_by == "Wu"
    with pytest.raises(IllegalStep, match="Wu has claimed it"):
        act(one, STEPS["outcome"], LI, both, NOON)


def test_what_is_over_is_said_to_be_over_whoever_had_it() -> None:
    with pytest.raises(IllegalStep, match="an alert that is closed takes no outcome; possible now: nothing more"):
        act(alert("closed", claimed_by="Li"), STEPS["outcome"], WU, frozenset({"M-2"}), NOON)


def test_what_a_guard_holds_back_is_taken_up_by_nobody_but_may_be_a_false_alarm() -> None:
    one = alert("new", waiting="G1")
    for action in ("claim", "reassign"):
        with pytest.raises(IllegalStep, match="G1 holds it back; possible now: false-alarm"):
            act(one, STEPS[action], SUPERVISOR, NOBODY, NOON)
    assert possible(one) == ["false_alarm"]
    act(one, STEPS["false_alarm"], SUPERVISOR, NOBODY, NOON)
    assert (one.state, one.waiting, one.ended_at) == ("closed", "", NOON), "what is over waits for nothing"


def test_a_guard_that_comes_later_takes_from_nobody_what_is_in_hand() -> None:
    assert set(possible(alert("claimed", waiting="G1"))) == set(LEGAL["claimed"].split())


@pytest.mark.parametrize("waiting", ["capacity", "budget", ""])
def test_what_waits_for_room_may_be_taken_up_before_its_turn(waiting: str) -> None:
    one = alert("new", waiting=waiting)
    act(one, STEPS["claim"], LI, NOBODY, NOON)
    assert (one.state, one.waiting) == ("claimed", "")


def test_a_stranger_to_the_portfolio_is_refused_and_who_answers_for_it_is_not() -> None:
    one = alert()
    with pytest.raises(Rejected) as refused:
        act(one, STEPS["claim"], WU, NOBODY, NOON)
    assert refused.value.reason == "not_yours"
    act(one, STEPS["claim"], WU, frozenset({"M-1", "M-2"}), NOON)
    assert (one.claimed_by, one.owner) == ("Wu", "M-2"), "who has it in hand is reminded of it"


def test_the_superior_to_whom_it_was_escalated_may_act_and_only_while_that_stands() -> None:
    one = alert("claimed", claimed_by="Li")
    step(one, NOON, SYSTEM, "escalate", one.state, to="M-9")
    boss = Actor("Sun", "M-9")
    with pytest.raises(Rejected, match="M-1 answers"):
        act(one, STEPS["contact"], boss, NOBODY, NOON)
    one.escalated_at = NOON
    act(one, STEPS["contact"], boss, NOBODY, NOON)
    assert one.state == "contacted"


def test_whoever_takes_up_what_was_put_off_ends_the_wait() -> None:
    one = alert("claimed", claimed_by="Li")
    act(one, STEPS["snooze"], LI, NOBODY, NOON)
    assert one.snoozed_until == NOON + DAY
    act(one, STEPS["contact"], LI, NOBODY, NOON)
    assert one.snoozed_until == 0


def test_whoever_it_is_reassigned_to_has_yet_to_claim_it() -> None:
    one = alert("claimed", claimed_by="Li", begun_for="c0")
    act(one, STEPS["reassign"], LI, NOBODY, NOON)
    assert (one.owner, one.claimed_by, one.begun_for) == ("M-2", "", "")


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        (StepRequest("reassign", to="M-2"), "to M-2"),
        (StepRequest("reassign", to="M-2", note="on leave"), "to M-2: on leave"),
        (StepRequest("outcome", outcome=Outcome(result="saved")), "saved"),
        (StepRequest("outcome", outcome=Outcome(result="saved"), note="stays"), "saved: stays"),
    ],
)
def test_a_step_says_to_whom_it_went_or_how_it_ended_and_what_was_noted(asked: StepRequest, note: str) -> None:
    one = alert("claimed")
    act(one, asked, LI, NOBODY, NOON)
    assert one.history[-1].note == note


@pytest.mark.parametrize("owner", ["", "queue:BJ"])
def test_whoever_claims_from_a_queue_becomes_the_owner(owner: str) -> None:
    one = alert(owner=owner)
    act(one, STEPS["claim"], WU, NOBODY, NOON)
    assert one.owner == "M-2"


def test_a_supervisor_who_claims_from_a_queue_leaves_it_to_the_queue() -> None:
    one = alert(owner="queue:BJ")
    act(one, STEPS["claim"], SUPERVISOR, NOBODY, NOON)
    assert (one.owner, one.claimed_by) == ("queue:BJ", SUPERVISOR.name)


def test_a_false_alarm_counts_as_not_relevant() -> None:
    one = alert()
    act(one, STEPS["false_alarm"], LI, NOBODY, NOON)
    assert one.outcome is not None
    assert (one.outcome.result, one.ended_at) == ("not_relevant", NOON)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (StepRequest("outcome"), "result"),
        (StepRequest("outcome", outcome=Outcome(result="not_relevant", reason=" ")), "reason"),
        (StepRequest("outcome", outcome=Outcome(result="sold", product="fund")), "amount"),
        (StepRequest("outcome", outcome=Outcome(result="sold", amount_minor=100, currency="CNY")), "product"),
        (StepRequest("outcome", note="x" * 2001, outcome=Outcome(result="saved")), "note"),
        (StepRequest("contact", note="called\0"), "note"),
        (StepRequest("outcome", outcome=Outcome(result="not_relevant", reason="x" * 201)), "reason"),
        (
            StepRequest("outcome", outcome=Outcome(result="sold", product="\x1b[2J", amount_minor=1, currency="CNY")),
            "product",
        ),
        (StepRequest("snooze", until=NOON), "until"),
        (StepRequest("snooze", until=NOON + 366 * DAY + 1), "until"),
        (StepRequest("plan", until=NOON - 1), "at"),
        (StepRequest("reassign", to="  "), "to"),
        (StepRequest("reassign", to="x" * 101), "to"),
    ],
)
def test_feedback_and_times_that_cannot_be_meant_are_refused_by_field(asked: StepRequest, field: str) -> None:
    one = alert("claimed")
    with pytest.raises(Rejected) as refused:
        act(one, asked, LI, NOBODY, NOON)
    assert (refused.value.reason, refused.value.field) == ("invalid_value", field)
    assert (one.state, one.outcome) == ("claimed", None)


@pytest.mark.parametrize(
    "asked",
    [
        StepRequest("snooze", until=NOON + 1),
        StepRequest("plan", until=NOON + 366 * DAY),
        StepRequest("reassign", to="x" * 100),
        StepRequest("outcome", note="x" * 2000, outcome=Outcome(result="not_relevant", reason="x" * 200)),
        StepRequest("outcome", outcome=Outcome(result="sold", product="fund", amount_minor=1, currency="CNY")),
    ],
)
def test_the_last_that_can_be_meant_is_taken(asked: StepRequest) -> None:
    one = alert("claimed")
    act(one, asked, LI, NOBODY, NOON)
    assert (one.history[-1].action, one.outcome) == (asked.action, asked.outcome)


def test_a_note_may_have_lines_and_signs_of_any_script() -> None:
    one = alert("claimed")
    note = "来电未接\r\n\tagain on Friday \U0001f468\u200d\U0001f469"
    act(one, StepRequest("contact", note=note), LI, NOBODY, NOON)
    assert one.history[-1].note == note
