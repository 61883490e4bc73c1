"""What is counted of the words of rules."""

from services.alerts.domain.alert import Alert, Evidence, Outcome
from services.alerts.domain.counting import (
    Caught,
    Planted,
    Right,
    caught,
    count,
    right_by_outcome,
    right_by_truth,
    spoken_in,
)
from services.alerts.domain.rules import Text
from tests.alerts.told import DAY, NOON

STORY = Planted("drifting", "c1", NOON - DAY, NOON + 5 * DAY, NOON + 20 * DAY)


def alert(customer: str, *rules: str, at: int = NOON, ended_at: int = 0, result: str = "") -> Alert:
    evidence = [
        Evidence(key=f"{rule}|", rule=rule, rule_version=1, name=Text("", ""), kind="retention", occurred_at=at,
                 seen_at=at, statement=1, ended_at=ended_at)
        for rule in rules
    ]  # fmt: skip
    outcome = Outcome(result=result) if result else None  # type: ignore[arg-type] # a test names a few of them
    return Alert(alert_id=f"al-{customer}-{at}", customer_id=customer, situation="leaving", kind="retention",
                 owner="M-1", opened_at=at, evidence=evidence, outcome=outcome)  # fmt: skip


def test_words_of_the_period_alone_are_counted_by_rule_month_owner_and_customer() -> None:
    alerts = [alert("c1", "R1", "R7"), alert("c2", "R1", ended_at=NOON + DAY), alert("c2", "R1", at=NOON - 90 * DAY)]
    (found,) = count(spoken_in(alerts, NOON - DAY, NOON + DAY), ["R1"])
    assert (found.spoken, found.alerts, found.withdrawn, found.alone) == (2, 2, 1, 1)
    assert (found.together, found.months, found.owners) == ({"R7": 1}, {"2026-11": 2}, {"M-1": 2})
    assert found.customers == {"c1": 1, "c2": 1}
    assert [(one.customer_id, one.owner, one.at, one.ended_at) for one in found.said] == [
        ("c1", "M-1", "2026-11-23T04:00:00Z", None), ("c2", "M-1", "2026-11-23T04:00:00Z", "2026-11-24T04:00:00Z"),
    ]  # fmt: skip


def test_what_a_rule_said_more_gravely_or_once_more_is_one_word_from_its_beginning() -> None:
    graver = alert("c1", "R4", at=NOON, ended_at=NOON + DAY)
    graver.evidence += alert("c1", "R4", at=NOON + DAY).evidence
    graver.evidence[-1].goes_on = True
    (found,) = count(spoken_in([graver], NOON, NOON + 2 * DAY), ["R4"])
    assert (found.spoken, found.withdrawn) == (1, 0)
    assert spoken_in([graver], NOON + DAY, NOON + 2 * DAY) == []


def test_a_rule_that_never_spoke_is_told_of_as_well() -> None:
    (found,) = count([], ["R9"])
    assert (found.rule, found.spoken) == ("R9", 0)


def test_a_story_is_caught_by_a_word_while_help_is_possible() -> None:
    spoken = spoken_in([alert("c1", "R1"), alert("c2", "R1")], 0, NOON + DAY)
    assert caught(spoken, [STORY]) == [Caught("drifting", 1, 1, 20.0), Caught("", 1, 1, 20.0)]
    late = spoken_in([alert("c1", "R1", at=NOON + 6 * DAY)], 0, NOON + 9 * DAY)
    assert caught(late, [STORY])[-1] == Caught("", 1, 0, None)
    assert right_by_truth(spoken, [STORY]) == [Right("R1", 2, 1)]


def test_a_word_shares_the_outcome_of_an_alert_of_about_then() -> None:
    spoken = spoken_in([alert("c1", "N1"), alert("c2", "N1"), alert("c3", "N1")], 0, NOON + DAY)
    worked = [
        alert("c1", "R1", at=NOON + 3 * DAY, result="saved"), alert("c2", "R1", result="not_relevant"),
        alert("c3", "R1", at=NOON - 50 * DAY, result="saved"),
    ]  # fmt: skip
    assert right_by_outcome(spoken, worked) == [Right("N1", 2, 1)]
