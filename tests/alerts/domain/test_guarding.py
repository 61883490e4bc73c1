"""What holds the alerts of one customer back, and what finds room among them first."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.alerts.domain.alert import Alert, Evidence
from services.alerts.domain.compiled import Rule
from services.alerts.domain.guarding import hold_back, hold_back_anew
from services.alerts.domain.judging import HOLDS, Outcome, Verdict
from services.alerts.domain.rules import Kind, Text
from services.alerts.domain.standing import Standing
from tests.alerts.told import NOON, rule, rules


def alert(name: str, kind: str = "retention", state: str = "new", rank: float = 1.0, **given: Any) -> Alert:
    said = Evidence(
        key="R1|", rule="R1", rule_version=1, name=told("name"), kind="retention", occurred_at=NOON, seen_at=NOON,
        statement=1, suggested=told("sell"), may_say=told("our terms"), must_not_say=told("No names."),
    )  # fmt: skip
    fixed: dict[str, Any] = {"kind": kind, "state": state, "rank": rank, "opened_at": NOON, "evidence": [said], **given}
    return Alert(alert_id=name, customer_id="c1", situation=name, **fixed)


def told(text: str) -> Text:
    return Text(text, text)


def guard(*blocks: Kind, name: str = "G1", **given: Any) -> Rule:
    return rule(name, kind="guard", situation=None, when=("complaint_open",), blocks=blocks, **given)


def held(budget: int, *alerts: Alert, by: Sequence[Rule] = ()) -> dict[str, tuple[str, str]]:
    hold_back(alerts, [Verdict(one, HOLDS) for one in by], budget, NOON)
    return {one.alert_id: (one.state, one.waiting) for one in alerts}


def test_a_customer_is_spoken_to_about_so_many_things_and_the_greatest_find_room_first() -> None:
    found = held(2, alert("a", state="claimed"), alert("b", rank=1.0), alert("c", rank=5.0), alert("d", rank=3.0))
    assert found == {"a": ("claimed", ""), "b": ("new", "budget"), "c": ("new", ""), "d": ("new", "budget")}


def test_sales_that_retention_pulls_back_leave_it_their_room_at_once() -> None:
    found = held(1, alert("sale", "upsell", "routed"), alert("leaving"))
    assert found == {"sale": ("new", "retention_first"), "leaving": ("new", "")}


def test_a_sale_in_somebodys_hands_keeps_no_retention_case_waiting() -> None:
    assert held(1, alert("sale", "upsell", "claimed"), alert("leaving"))["leaving"] == ("new", "")
    assert held(1, alert("sale", "upsell", "claimed"), alert("another", "upsell"))["another"] == ("new", "budget")


def test_what_waits_for_the_budget_goes_on_when_there_is_room() -> None:
    waits = alert("b", waiting="budget")
    assert held(2, alert("a", state="claimed"), waits)["b"] == ("new", "")
    assert waits.history[-1].action == "release"


def test_room_in_the_budget_does_not_release_what_waits_for_its_owners_day() -> None:
    waits = alert("a", waiting="capacity")
    assert held(2, waits)["a"] == ("new", "capacity")
    assert waits.history == []


def test_of_equal_ones_the_oldest_finds_room_and_each_of_them_takes_it() -> None:
    found = held(1, alert("younger", "upsell", opened_at=NOON + 1), alert("older", "upsell"))
    assert found == {"younger": ("new", "budget"), "older": ("new", "")}


def test_a_sale_that_finds_room_keeps_nothing_but_sales_out_of_it() -> None:
    found = held(1, alert("sale", "upsell", rank=9.0), alert("care", "guard"))
    assert found == {"sale": ("new", ""), "care": ("new", "")}


def test_retention_keeps_sales_waiting_and_nothing_else_and_a_guard_goes_before_it() -> None:
    three = [alert("leaving"), alert("care", "guard"), alert("sale", "upsell")]
    assert held(9, *three) == {"leaving": ("new", ""), "care": ("new", ""), "sale": ("new", "retention_first")}
    assert held(9, *three, by=[guard("upsell")])["sale"] == ("new", "G1")


def test_what_a_guard_pulls_back_leaves_its_room_and_what_somebody_works_on_keeps_both() -> None:
    found = held(1, alert("leaving", state="routed"), alert("care", "guard"), by=[guard("retention")])
    assert found == {"leaving": ("new", "G1"), "care": ("new", "")}
    found = held(1, alert("leaving", state="claimed"), alert("care", "guard"), by=[guard("retention")])
    assert found == {"leaving": ("claimed", "G1"), "care": ("new", "budget")}


def test_what_somebody_has_takes_room_and_what_a_guard_holds_back_takes_none() -> None:
    assert held(1, alert("leaving", state="routed"), alert("care", "guard"))["care"] == ("new", "budget")
    found = held(1, alert("leaving", rank=9.0), alert("care", "guard"), by=[guard("retention")])
    assert found == {"leaving": ("new", "G1"), "care": ("new", "")}


def test_each_sale_takes_one_place() -> None:
    found = held(2, *(alert(name, "upsell", rank=rank) for name, rank in (("a", 3.0), ("b", 2.0), ("c", 1.0))))
    assert [waiting for _, waiting in found.values()] == ["", "", "budget"]


@pytest.mark.parametrize(("outcome", "waiting"), [("holds", "G1"), ("missing", "G1"), ("fails", ""), ("broken", "")])
def test_a_guard_holds_back_and_words_while_it_holds_or_cannot_be_judged(outcome: Outcome, waiting: str) -> None:
    one = alert("a")
    hold_back([one], [Verdict(guard("retention", wording="service_only"), outcome)], 3, NOON)
    assert (one.waiting, one.worded_by) == (waiting, waiting)
    assert [(said.action, said.note) for said in one.history] == ([("hold", "G1")] if waiting else [])


def test_a_guard_holds_back_what_waits_for_its_owners_day() -> None:
    assert held(2, alert("a", waiting="capacity"), by=[guard("retention")])["a"] == ("new", "G1")


def test_the_first_guard_that_says_how_to_word_an_alert_words_it_and_that_is_news_once() -> None:
    plain, wording = guard(name="G1"), guard(name="G2", wording="service_only")
    alerts, verdicts = [alert("a")], [Verdict(plain, HOLDS), Verdict(wording, HOLDS)]
    assert hold_back(alerts, verdicts, 3, NOON) == alerts
    assert (alerts[0].wording, alerts[0].worded_by) == ("service_only", "G2")
    assert hold_back(alerts, verdicts, 3, NOON) == []


def test_a_sale_that_a_guard_words_says_what_the_guard_says_until_that_lets_go() -> None:
    words: dict[str, Any] = {
        "suggested": told("Serve."),
        "may_say": told("the contract"),
        "must_not_say": told("No offers."),
    }
    one, by = alert("a", "upsell", "claimed"), [Verdict(guard(wording="service_only", **words), HOLDS)]
    hold_back([one], by, 3, NOON)
    assert (one.suggested.en, one.may_say.en, one.must_not_say.en) == ("Serve.", "the contract", "No offers.")
    hold_back([one], [], 3, NOON)
    assert (one.suggested.en, one.may_say.en, one.must_not_say.en) == ("sell", "our terms", "No names.")


def test_a_sale_to_who_refused_a_channel_keeps_its_words_and_must_not_say_what_the_guard_forbids_either() -> None:
    words: dict[str, Any] = {"suggested": told("Another channel."), "must_not_say": told("Not by phone.")}
    channels = Verdict(guard(name="G2", wording="other_channels", **words), HOLDS)
    one = alert("a", "upsell")
    hold_back([one], [channels], 3, NOON)
    assert (one.wording, one.waiting, one.suggested.en, one.may_say.en) == ("other_channels", "", "sell", "our terms")
    assert one.must_not_say.en == "Not by phone. No names."
    hold_back(
        [one], [channels, Verdict(guard(name="G3", wording="service_only", suggested=told("Serve.")), HOLDS)], 3, NOON
    )
    assert (one.wording, one.suggested.en) == ("service_only", "Serve."), "nothing at all outweighs a channel"


def test_an_alert_that_sells_nothing_keeps_its_words_and_must_not_say_what_the_guard_forbids_either() -> None:
    one = alert("a")
    words: dict[str, Any] = {"suggested": told("Serve."), "must_not_say": told("No offers.")}
    hold_back([one], [Verdict(guard(wording="service_only", **words), HOLDS)], 3, NOON)
    assert (one.suggested.en, one.may_say.en) == ("sell", "our terms")
    assert (one.must_not_say.en, one.must_not_say.zh) == ("No offers. No names.", "No offers.No names.")


def test_a_sale_that_a_guard_holds_back_in_somebodys_hands_says_so_in_its_words() -> None:
    """Two guards: the one that holds it back speaks."""
    consent = guard(name="G3", wording="service_only", suggested=told("Serve."))
    complaint = guard("upsell", suggested=told("First the complaint."), must_not_say=told("No sales."))
    sale, leaving = alert("a", "upsell", "claimed"), alert("b")
    hold_back([sale, leaving], [Verdict(consent, HOLDS), Verdict(complaint, HOLDS)], 3, NOON)
    assert (sale.suggested.en, sale.must_not_say.en, sale.waiting) == ("First the complaint.", "No sales.", "G1")
    assert (leaving.suggested.en, leaving.must_not_say.en) == ("sell", "No names.")
    hold_back([sale], [], 3, NOON)
    assert (sale.suggested.en, sale.must_not_say.en) == ("sell", "No names.")


def test_a_courtesy_keeps_its_words_and_must_not_say_what_the_guard_forbids() -> None:
    one = alert("a", "upsell")
    one.situation = "courtesy"
    hold_back(
        [one],
        [Verdict(guard(wording="service_only", suggested=told("Serve."), must_not_say=told("No offers.")), HOLDS)],
        3,
        NOON,
    )
    assert (one.suggested.en, one.must_not_say.en) == ("sell", "No offers. No names.")


def test_a_guard_that_words_alerts_and_has_no_words_leaves_them_theirs() -> None:
    one = alert("a", "upsell")
    hold_back([one], [Verdict(guard(wording="service_only"), HOLDS)], 3, NOON)
    assert (one.suggested.en, one.may_say.en, one.must_not_say.en) == ("sell", "our terms", "No names.")


def test_a_guard_that_is_no_rule_any_more_or_is_switched_off_holds_nothing_and_is_forgotten() -> None:
    for known in (rules(), rules(guard("retention", enabled=False))):
        waits, standing = alert("a", waiting="G1"), Standing(guards={"G1": HOLDS})
        assert hold_back_anew([waits], standing, known, 3, NOON, "G1 was switched off") == [waits]
        assert (waits.waiting, waits.history[-1].note, standing.guards) == ("", "G1 was switched off", {})


def test_what_is_only_worded_anew_has_changed_too() -> None:
    held_one, worded = alert("a"), alert("b", "upsell")
    known = rules(guard("retention", wording="service_only"))
    changed = hold_back_anew([held_one, worded], Standing(guards={"G1": HOLDS}), known, 9, NOON)
    assert changed == [held_one, worded]
    assert (held_one.waiting, worded.waiting) == ("G1", "retention_first")
    standing, only_worded = Standing(guards={"G1": HOLDS}), alert("c", "guard")
    assert hold_back_anew([only_worded], standing, known, 9, NOON) == [only_worded]
    assert only_worded.history == []
    assert hold_back_anew([only_worded], standing, known, 9, NOON) == []
