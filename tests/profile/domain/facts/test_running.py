"""Facts that run or drift with the days are news where they pass what somebody asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.asked import Asked, Limit
from services.profile.domain.facts.catalogue import FACTS
from services.profile.domain.facts.running import DRIFTING, moved, steps_to_limit

ASKED = Asked("1", {
    "tenure_days": frozenset({Limit(100.0)}), "anniversary_in_days": frozenset({Limit(7.0)}),
    "days_since_last_login": frozenset({Limit(2.0, 3.0, "usual_login_gap_days")}),
}, frozenset({"owner_days"}))  # fmt: skip


def test_a_day_more_is_no_news_until_a_limit_is_reached_or_passed() -> None:
    days = [float(day) for day in range(97, 105)]
    told = [moved({"tenure_days": day}, {"tenure_days": day + 1.0}, ASKED) for day in days]
    assert told == [False, False, True, True, False, False, False, False]


def test_a_limit_may_hang_on_another_fact() -> None:
    usual = {"usual_login_gap_days": 4.0}
    assert not moved({"days_since_last_login": 12.0, **usual}, {"days_since_last_login": 13.0, **usual}, ASKED)
    assert moved({"days_since_last_login": 13.0, **usual}, {"days_since_last_login": 14.0, **usual}, ASKED)


def test_what_nobody_asks_of_is_no_news_and_what_is_asked_wholly_always() -> None:
    assert not moved({"tier_days": 3.0}, {"tier_days": 99.0}, ASKED)
    assert moved({"owner_days": 3.0}, {"owner_days": 4.0}, ASKED)


def test_a_mean_that_drifts_from_day_to_day_is_news_only_where_it_passes_a_limit() -> None:
    asked = Asked("1", {"balance_mean_365d": frozenset({Limit(500.0)})})
    assert not moved({"balance_mean_365d": 640.21}, {"balance_mean_365d": 639.07}, asked)
    assert moved({"balance_mean_365d": 500.3}, {"balance_mean_365d": 499.1}, asked)
    assert not moved({"balance_mean_30d": 500.3}, {"balance_mean_30d": 499.1}, asked)


def test_what_drifts_is_declared_as_a_fact() -> None:
    assert FACTS.keys() >= DRIFTING


def test_any_other_fact_is_news_whenever_it_moves() -> None:
    assert moved({"balance_total": 3.0}, {"balance_total": 3.01}, ASKED)
    assert moved({}, {"tier": "gold"}, ASKED)


def test_as_long_as_nobody_has_said_what_is_asked_every_move_is_news() -> None:
    assert moved({"tier_days": 3.0}, {"tier_days": 4.0}, None)
    assert not moved({"tier_days": 3.0}, {"tier_days": 3.0}, None)


@pytest.mark.parametrize(("name", "a_day"), [("tenure_days", 1.0), ("anniversary_in_days", -1.0)])
@given(begin=st.integers(0, 400), limit=st.floats(-10.0, 400.0))
def test_no_limit_is_passed_before_the_day_that_is_told_beforehand(
    name: str, a_day: float, begin: int, limit: float
) -> None:
    asked = Asked("1", {name: frozenset({Limit(limit)})})
    told = {name: float(begin)}
    steps = steps_to_limit(name, told, asked)
    course = [{name: begin + a_day * day} for day in range(begin + 1 if a_day < 0 else 800)]
    passed = next((day for day, at in enumerate(course) if moved(told, at, asked)), None)
    if steps is None:
        assert passed is None
    else:
        assert passed is None or passed >= steps
        assert passed == steps or a_day < 0


def test_a_countdown_is_looked_at_again_when_it_is_through_and_what_is_asked_wholly_at_the_next_step() -> None:
    assert steps_to_limit("anniversary_in_days", {"anniversary_in_days": 4.0}, ASKED) == 5
    assert steps_to_limit("anniversary_in_days", {"anniversary_in_days": 9.0}, ASKED) == 2
    assert steps_to_limit("owner_days", {"owner_days": 400.0}, ASKED) == 1
    assert steps_to_limit("birthday_in_days", {"birthday_in_days": 4.0}, ASKED) is None


def test_a_fact_that_is_told_no_more_has_moved() -> None:
    assert moved({"balance_total": 3.0}, {}, ASKED)
    assert moved({"tenure_days": 100.0}, {}, ASKED)
    assert not moved({"tenure_days": 0.0}, {}, ASKED)
