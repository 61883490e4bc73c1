"""How far the queue of marks is known to be empty."""

import time

import pytest

from services.profile.adapters.low_water import FORGOTTEN_AFTER_S, Look, LowWater


def after(*looks: Look) -> int:
    low = LowWater()
    for look in looks:
        low.learn(look)
    return low.number


def test_the_least_of_a_look_holds_once_all_who_were_writing_then_have_ended() -> None:
    first = Look(least=40, drawn=50, oldest=7, next=9)
    assert after(first) == 0
    assert after(first, Look(60, 70, oldest=8, next=12)) == 0
    assert after(first, Look(60, 70, oldest=9, next=12)) == 40
    assert after(first, Look(60, 70, 9, 12), Look(80, 90, 12, 14)) == 60


def test_a_mark_that_came_late_is_not_passed_over() -> None:
    assert after(Look(least=40, drawn=50, oldest=7, next=9), Look(least=30, drawn=70, oldest=9, next=12)) == 30


def test_an_empty_queue_is_empty_as_far_as_was_drawn_before_it_was_looked_at() -> None:
    empty = [Look(None, drawn, oldest=at, next=at) for at, drawn in enumerate([10, 20, 30, 40])]
    assert [after(*empty[:looks]) for looks in (1, 2, 3, 4)] == [0, 0, 10, 20]


def test_a_server_that_counts_from_further_below_is_looked_through_anew() -> None:
    looks = [Look(40, 50, 9, 9), Look(45, 60, 10, 10)]
    assert (after(*looks), after(*looks, Look(20, 25, 5, 5))) == (40, 0)


def test_now_and_then_the_whole_queue_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    low = LowWater()
    for look in (Look(40, 50, 9, 9), Look(45, 60, 10, 10)):
        low.learn(look)
    later = time.monotonic() + FORGOTTEN_AFTER_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    low.learn(Look(50, 60, 11, 11))
    assert low.number == 0
