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


def test_what_a_rule_said_again_is_another_word_and_so_is_what_goes_on_from_something_no_longer_kept() -> None:
    again = alert("c1", "R4", "R4", ended_at=NOON + 1)
    assert len(spoken_in([again], NOON, NOON + 1)) == 2
    again.evidence[0].goes_on = True
    assert len(spoken_in([again], NOON, NOON + 1)) == 2


def test_words_come_by_time_customer_and_rule_and_are_of_whom_they_were_said() -> None:
    alerts = [alert("c2", "R7", "R1", at=NOON + 1), alert("c1", "R1")]
    alerts[1].evidence[0].origin = "c9"
    assert [(one.at, one.customer_id, one.rule) for one in spoken_in(alerts, NOON, NOON + 2)] == [
        (NOON, "c9", "R1"), (NOON + 1, "c2", "R1"), (NOON + 1, "c2", "R7"),
    ]  # fmt: skip
    assert spoken_in(alerts, 0, NOON) == []


def test_rules_have_spoken_together_that_spoke_of_one_customer_within_thirty_days() -> None:
    month = 30 * DAY
    alerts = [alert("c1", "R1"), alert("c1", "R7", at=NOON + month)]
    alerts += [alert("c2", "R1"), alert("c2", "R8", at=NOON + month + 1), alert("c2", "R8", at=NOON - month - 1)]
    alerts += [alert("c3", "R1"), alert("c3", "R9", at=NOON - month)]
    (found,) = count(spoken_in(alerts, 0, NOON + 2 * month), ["R1"])
    assert (found.together, found.alone) == ({"R7": 1, "R9": 1}, 1)


def test_what_was_said_most_comes_first_and_months_in_their_order() -> None:
    november, october = NOON - 22 * DAY, NOON - 23 * DAY
    alerts = [alert(customer, "R1", at=november) for customer in ("c2", "c1", "c2")] + [alert("c3", "R1", at=october)]
    (found,) = count(spoken_in(reversed(alerts), 0, NOON), ["R1"])
    assert list(found.customers.items()) == [("c2", 2), ("c1", 1), ("c3", 1)]
    assert list(found.months.items()) == [("2026-10", 1), ("2026-11", 3)]


def test_a_rule_that_never_spoke_is_told_of_as_well() -> None:
    (found,) = count([], ["R9"])
    assert (found.rule, found.spoken) == ("R9", 0)


def test_a_story_is_caught_by_a_word_while_help_is_possible() -> None:
    spoken = spoken_in([alert("c1", "R1"), alert("c2", "R1")], 0, NOON + DAY)
    assert caught(spoken, [STORY]) == [Caught("drifting", 1, 1, 20.0), Caught("", 1, 1, 20.0)]
    late = spoken_in([alert("c1", "R1", at=NOON + 6 * DAY)], 0, NOON + 9 * DAY)
    assert caught(late, [STORY])[-1] == Caught("", 1, 0, None)
    assert right_by_truth(spoken, [STORY]) == [Right("R1", 2, 1)]


def test_the_days_of_warning_count_from_the_first_word_that_still_helped() -> None:
    first, last = STORY.signal_from_ms, STORY.signal_until_ms
    words = [alert("c1", "R1", at=at) for at in (first - 1, first, NOON)]
    assert caught(spoken_in(words, 0, NOON + 1), [STORY])[-1] == Caught("", 1, 1, 21.0)
    assert caught(spoken_in(words[2:], 0, NOON + 1), [STORY, STORY])[-1].median_days_of_warning == 20.0
    assert caught(spoken_in([alert("c1", "R1", at=NOON - DAY // 3)], 0, NOON), [STORY])[-1] == Caught("", 1, 1, 20.3)
    assert caught(spoken_in([alert("c1", "R1", at=last)], 0, last + 1), [STORY])[-1] == Caught("", 1, 0, None)


def test_stories_are_told_apart_by_kind() -> None:
    bonus = Planted("bonus", "c2", NOON, NOON + DAY, NOON + DAY)
    assert caught(spoken_in([alert("c1", "R1")], 0, NOON + DAY), [STORY, bonus]) == [
        Caught("bonus", 1, 0, None), Caught("drifting", 1, 1, 20.0), Caught("", 2, 1, 20.0),
    ]  # fmt: skip


def test_a_word_is_right_from_the_first_signal_to_the_loss() -> None:
    first, loss = STORY.signal_from_ms, STORY.loss_ms
    words = [alert("c1", "R2", at=first - 1), *(alert("c1", "R2", at=at) for at in (first, loss))]
    words += [alert("c1", "R1", at=loss + 1)]
    assert right_by_truth(spoken_in(words, 0, loss + 2), [STORY]) == [Right("R1", 1, 0), Right("R2", 3, 2)]


def test_a_word_shares_the_outcome_of_an_alert_of_about_then() -> None:
    spoken = spoken_in([alert(customer, "N1") for customer in ("c2", "c3", "c4")] + [alert("c1", "N2")], 0, NOON + DAY)
    worked = [
        alert("c1", "R1", at=NOON - 20 * DAY, result="not_relevant"), alert("c1", "R1"),
        alert("c1", "R1", at=NOON + 3 * DAY, result="saved"),
        alert("c2", "R1", at=NOON - 30 * DAY, result="not_relevant"),
        alert("c3", "R1", at=NOON - 30 * DAY - 1, result="saved"),
    ]  # fmt: skip
    assert right_by_outcome(spoken, worked) == [Right("N1", 1, 0), Right("N2", 1, 1)]
