"""Tiers: the first at once, others at the close of bank days, and never to and fro."""

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided
from services.profile.domain.value.tiers import decide
from services.profile.domain.value.value import Judged
from tests.profile.value.portrait import ms, policy, reference

MONDAY = ms("2026-11-16", 9)
HOLD = policy().scales.hold_days
RUNS = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 9)), min_size=1, max_size=12)
"""Scores, and for how many days each stays: one that is another every day changes no tier."""
SCORES = RUNS.map(lambda runs: [points for points, days in runs for _ in range(days)])


def score(points: int | None, grounded: bool = True) -> Judged:
    return Judged("person", points, (), grounded=grounded)


def through(scores: list[int], decided: Decided | None = None, start: int = MONDAY) -> list[Decided]:
    """One judgement a calendar day, weekends included."""
    steps, decided = [], decided or Decided()
    for ahead, points in enumerate(scores):
        _, decided = decide(score(points), decided, policy(), start + ahead * DAY_MS)
        steps.append(decided)
    return steps


def tiers(scores: list[int]) -> list[str | None]:
    return [step.tier for step in through(scores)]


def test_the_first_judgement_is_immediate() -> None:
    tier, decided = decide(score(70), Decided(), policy(), MONDAY)
    assert (tier, decided.tier, decided.tier_since) == ("gold", "gold", MONDAY)


def test_what_is_linked_later_on_the_first_day_corrects_the_first_tier_at_once() -> None:
    _, decided = decide(score(10), Decided(), policy(), MONDAY)
    tier, decided = decide(score(70), decided, policy(), MONDAY + 60_000)
    assert (tier, decided.tier_since) == ("gold", MONDAY + 60_000)
    tier, decided = decide(score(50), decided, policy(), MONDAY + 120_000)
    assert tier == "profit"


def test_a_tier_judged_on_nothing_gives_way_at_once_on_whatever_day_money_becomes_known() -> None:
    decided = Decided()
    for ahead in range(5):
        tier, decided = decide(score(10, grounded=False), decided, policy(), MONDAY + ahead * DAY_MS)
        assert (tier, decided.tier_since) == ("general", MONDAY)
    tier, decided = decide(score(70), decided, policy(), MONDAY + 7 * DAY_MS)
    assert (tier, decided.tier_since) == ("gold", MONDAY + 7 * DAY_MS)
    assert decide(score(10), decided, policy(), MONDAY + 8 * DAY_MS)[0] == "gold"


def test_the_tier_of_the_first_day_with_money_holds_from_its_close_on() -> None:
    _, decided = decide(score(10, grounded=False), Decided(), policy(), MONDAY)
    _, decided = decide(score(10), decided, policy(), MONDAY + DAY_MS)
    steps = through([70, 70, 70], decided, MONDAY + 2 * DAY_MS)
    assert [step.tier for step in steps] == ["general", "general", "gold"]


def test_money_that_goes_again_on_the_first_day_starts_nothing_anew() -> None:
    _, decided = decide(score(70), Decided(), policy(), MONDAY)
    assert decide(score(70, grounded=False), decided, policy(), MONDAY + 60_000)[1] == decided


def test_a_better_tier_is_taken_after_three_closed_bank_days() -> None:
    assert tiers([10, 70, 70, 70]) == ["general", "general", "general", "gold"]


def test_a_weekend_is_no_bank_day() -> None:
    friday = ms("2026-11-20", 9)
    steps = through([10, 70, 70, 70, 70, 70], start=friday)
    # judged at the closes of Friday, Monday and Tuesday
    assert [step.tier for step in steps] == ["general"] * 5 + ["gold"]


def test_a_day_within_the_old_tier_starts_the_count_again() -> None:
    assert tiers([10, 70, 70, 10, 70, 10, 70]) == ["general"] * 7


def test_between_leaving_and_entering_the_tier_stays() -> None:
    assert tiers([70, 60, 60, 60, 60]) == ["gold"] * 5
    assert tiers([50, 60, 60, 60, 60]) == ["profit"] * 5
    assert {step.tier_since for step in through([70, 60, 60, 60, 60])} == {MONDAY}, "and since when it is held"


def test_a_tier_is_entered_at_its_bar_and_left_below_the_lower_one() -> None:
    for bar in policy().scales.by_kind["person"].thresholds:
        entered = [decide(score(points), Decided(), policy(), MONDAY)[0] for points in (bar.enter, bar.enter - 1)]
        assert [tier == bar.tier for tier in entered] == [True, False]
        stays, falls = ([bar.enter, *[points] * 4] for points in (bar.leave, bar.leave - 1))
        assert [tiers(scores)[-1] == bar.tier for scores in (stays, falls)] == [True, False]


def test_a_fall_from_gold_may_pass_profit() -> None:
    assert tiers([70, 20, 20, 20])[-1] == "general"


def test_events_within_a_later_day_are_one_judgement() -> None:
    _, decided = decide(score(10), Decided(), policy(), MONDAY)
    for minute in range(60):
        tier, decided = decide(score(70), decided, policy(), MONDAY + DAY_MS + minute * 60_000)
        assert tier == "general"
    assert decided.candidate_tier == "gold"


def test_without_a_score_nothing_changes() -> None:
    decided = Decided(tier="gold", tier_since=5, judged_day=1)
    assert decide(score(None), decided, policy(), MONDAY) == ("gold", decided)
    assert decide(Judged("household", None, ()), Decided(), policy(), MONDAY) == (None, Decided())


def test_days_without_a_judgement_do_not_make_a_change_by_themselves() -> None:
    """A candidate of long ago and one judgement today: it held on every bank day between."""
    _, decided = decide(score(10), Decided(), policy(), MONDAY)
    _, decided = decide(score(70), decided, policy(), MONDAY + DAY_MS)
    tier, _ = decide(score(70), decided, policy(), MONDAY + 10 * DAY_MS)
    assert tier == "gold"


@given(SCORES)
def test_a_tier_never_changes_twice_within_its_holding_time(scores: list[int]) -> None:
    steps = through(scores)
    changes = [step.tier_since for before, step in itertools.pairwise(steps) if before.tier != step.tier]
    for earlier, later in itertools.pairwise(changes):
        between = reference().calendar.working_days_between(
            reference().day_of(earlier - 1), reference().day_of(later - 1)
        )
        assert between >= HOLD


@given(st.lists(st.integers(59, 64), min_size=1, max_size=40), st.sampled_from(["gold", "profit"]))
def test_scores_between_two_bars_change_nothing(scores: list[int], tier: str) -> None:
    steps = through(scores, Decided(tier=tier, judged_day=0))
    assert {step.tier for step in steps} == {tier}


@given(SCORES)
def test_the_same_judgements_give_the_same_decisions(scores: list[int]) -> None:
    assert through(scores) == through(scores)


@given(SCORES.filter(lambda scores: len(scores) > 1))
def test_judging_again_on_a_later_day_changes_nothing(scores: list[int]) -> None:
    decided = through(scores)[-1]
    at = MONDAY + (len(scores) - 1) * DAY_MS + 3_600_000
    assert decide(score(0), decided, policy(), at)[1] == decided


def test_what_is_remembered_survives_storage() -> None:
    decided = through([10, 70, 70])[-1]
    assert msgspec.json.decode(msgspec.json.encode(decided), type=Decided) == decided
