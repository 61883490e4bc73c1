"""What is news, to whom it goes, and when a message is tried again."""

from typing import Any

import msgspec
import pytest

from schemas.alerts import Alert
from services.alerts.domain.delivering import (
    GIVE_UP_MS,
    Delivery,
    delivered,
    deliveries,
    held,
    is_pulled_back,
    message_id,
    missed,
    news,
    notice_deliveries,
    refused,
    room_at,
)  # fmt: skip
from services.alerts.domain.notices import Notice
from services.alerts.domain.rules import Text
from tests.alerts.destined import DAY, HOUR, MINUTE, NOON, alert, destination, mail


def queued(**given: Any) -> Delivery:
    [one] = deliveries(alert("open", "route"), b"body", {"routed": 1}, [destination(**given)], NOON)
    return one


def test_what_happened_since_the_last_look_is_news() -> None:
    told = alert("open", "route", "claim", "raise")
    assert news(told, 0, NOON) == {"opened": 0, "routed": 1, "raised": 3}
    assert news(told, 2, NOON) == {"raised": 3}
    assert news(told, 4, NOON) == {}


def test_of_the_same_twice_the_last_is_told() -> None:
    assert news(alert("open", "route", "hand_over", "reassign"), 0, NOON) == {"opened": 0, "routed": 3}


def escalated(to: str = "M-9") -> Alert:
    told = alert("open", "route", "escalate")
    return msgspec.structs.replace(told, history=[*told.history[:2], msgspec.structs.replace(told.history[2], to=to)])


def test_an_escalation_goes_to_the_superior_and_to_the_owner() -> None:
    people = {"M-1": "ada@bank.example", "M-9": "bob@bank.example"}
    for to, told in (("M-9", ["ada@bank.example", "bob@bank.example"]), ("", ["ada@bank.example"])):
        queued = deliveries(escalated(to), b"", {"escalated": 2}, [mail(people=people, address="")], NOON)
        assert [one.person for one in queued] == told
        assert len({one.delivery_id for one in queued}) == len(told)
    routed = deliveries(escalated(), b"", {"routed": 1}, [mail(people=people, address="")], NOON)
    assert [one.person for one in routed] == ["ada@bank.example"]


def test_a_destination_of_the_superior_alone_hears_of_the_escalation_and_a_place_for_all_hears_it_once() -> None:
    places = [destination("boss", owners=["M-9"]), destination("crm"), destination("other", owners=["M-5"])]
    queued = deliveries(escalated(), b"", {"routed": 1, "escalated": 2}, places, NOON)
    assert [(one.destination, one.happening) for one in queued] == [
        ("boss", "escalated"), ("crm", "routed"), ("crm", "escalated"),
    ]  # fmt: skip


def test_a_notice_goes_where_notices_are_asked_for_to_who_answers_for_the_rule() -> None:
    told = Notice(rule="R4", name=Text("Salary", "工资"), matter="paused", began=True, at=NOON, owner="M-9")
    places = [
        destination("crm"), destination("ops", notices=True), destination("off", notices=True, enabled=False),
        destination("theirs", notices=True, owners=["M-1"]),
        mail("mine", notices=True, people={"M-9": "bob@bank.example"}),
    ]  # fmt: skip
    queued = notice_deliveries(told, b"told", places, NOON)
    assert [(one.destination, one.person) for one in queued] == [("ops", "M-9"), ("mine", "bob@bank.example")]
    assert [one.delivery_id for one in queued] == [
        one.delivery_id for one in notice_deliveries(told, b"told", places, NOON + HOUR)
    ]


def test_what_is_a_day_old_is_no_news() -> None:
    assert news(alert("open", "route"), 0, NOON + DAY) == {"opened": 0, "routed": 1}
    assert news(alert("open", "route"), 0, NOON + DAY + 1) == {}


def test_an_alert_that_was_parted_does_not_tell_the_past_of_the_other_again() -> None:
    assert news(alert("open", "route", "part", "escalate"), 0, NOON) == {"escalated": 3}


@pytest.mark.parametrize("action", ["withdraw", "supersede"])
def test_an_alert_that_is_gone_was_withdrawn(action: str) -> None:
    assert news(alert(action), 0, NOON) == {"withdrawn": 0}


def test_people_who_ask_how_an_alert_begins_hear_of_one_that_waits_and_not_that_it_was_routed_before() -> None:
    asks = mail(steps=("opened", "routed"))
    for told, heard in ((alert("open", "hold"), ["opened"]), (alert("open", "route", "hold"), ["opened"]),
                        (alert("open", "route"), ["opened", "routed"])):  # fmt: skip
        assert [one.happening for one in deliveries(told, b"", news(told, 0, NOON), [asks], NOON)] == heard


@pytest.mark.parametrize(
    ("actions", "seen", "pulled_back"),
    [("open route hold", 0, True), ("open route hold", 2, True), ("open route hold", 3, False),
     ("open route hold route", 3, False), ("open hold", 0, False), ("open route claim", 0, False)],
)  # fmt: skip
def test_only_what_somebody_had_and_was_taken_since_is_pulled_back(actions: str, seen: int, pulled_back: bool) -> None:
    assert is_pulled_back(alert(*actions.split()), seen) is pulled_back


def test_the_same_step_on_the_same_destination_is_one_message() -> None:
    assert queued().delivery_id == queued().delivery_id
    assert queued().delivery_id != queued(destination_id="other").delivery_id


def test_a_step_in_the_place_of_one_that_a_restored_database_has_forgotten_is_another_message() -> None:
    def told(minutes: int) -> str:
        alert_now = alert("open", "escalate")
        alert_now.history[1] = msgspec.structs.replace(alert_now.history[1], at=NOON + minutes)
        [one] = deliveries(alert_now, b"", {"escalated": 1}, [destination()], NOON)
        return one.delivery_id

    assert told(1) == told(1) != told(2)


def test_a_destination_is_told_of_the_steps_it_asked_for() -> None:
    told = deliveries(alert("open", "route"), b"", {"opened": 0, "routed": 1}, [destination()], NOON)
    assert [(one.happening, one.step, one.person, one.next_at) for one in told] == [("routed", 1, "M-1", NOON)]


def test_a_digest_waits_for_its_time() -> None:
    [one] = deliveries(alert("route"), b"", {"routed": 0}, [mail(digest_at="08:30")], NOON)
    assert one.next_at == NOON + 20 * HOUR + 30 * MINUTE


def test_the_pauses_grow_and_a_day_after_the_first_attempt_is_the_last() -> None:
    one, now, pauses = queued(), NOON, list[int]()
    while one.state == "waiting":
        one = missed(one, "it answers 500", 0, now)
        if one.state == "waiting":
            pauses.append((one.next_at - now) // 1000)
            now = one.next_at
    assert pauses[:6] == [5, 30, 120, 600, 3600, 21600]
    assert now - NOON == GIVE_UP_MS
    assert (one.state, one.ended_at, one.error) == ("dead", now, "it answers 500")


def test_a_receiver_may_ask_for_a_longer_pause_and_not_for_a_shorter_one() -> None:
    assert missed(queued(), "busy", 60.0, NOON).next_at == NOON + 60_000
    assert missed(queued(), "busy", 1.0, NOON).next_at == NOON + 5_000


def test_what_is_refused_is_dead_at_once() -> None:
    one = refused(queued(), "it answers 410", NOON)
    assert (one.state, one.attempts, one.tried_at, one.ended_at) == ("dead", 1, NOON, NOON)
    late = refused(missed(queued(), "away", 0, NOON), "it answers 410", NOON + 5_000)
    assert (late.attempts, late.tried_at, late.ended_at) == (2, NOON, NOON + 5_000)


def test_what_arrived_says_when() -> None:
    assert delivered(queued(), NOON).tried_at == NOON
    one = delivered(missed(queued(), "away", 0, NOON), NOON + 5_000)
    assert (one.state, one.attempts, one.tried_at, one.ended_at, one.error) == ("delivered", 2, NOON, NOON + 5_000, "")


def test_being_held_is_no_attempt() -> None:
    one = held(queued(), NOON + HOUR)
    assert (one.state, one.attempts, one.next_at) == ("waiting", 0, NOON + HOUR)


def test_there_is_room_for_a_person_until_so_many_came_within_the_hour() -> None:
    assert room_at(0, [NOON] * 99) == 0
    assert room_at(2, [NOON]) == 0
    assert room_at(2, [NOON, NOON + 5, NOON - 7]) == NOON + HOUR


def test_a_digest_has_an_id_of_its_parts() -> None:
    one, other = queued(), queued(destination_id="other")
    assert message_id([one]) == one.delivery_id
    assert message_id([one, other]) not in (one.delivery_id, other.delivery_id, message_id([other, one]))
