"""What outcomes teach of a rule."""

from services.alerts.domain.learning import Learned, Tally, precision, tallies, throttled
from services.alerts.domain.rules import Desk
from services.alerts.domain.terms import NEW_RULE_PRECISION
from tests.alerts.told import terms

NOISY = Learned("R4", 2, "BJ", "M-1", True, 20, 15)


def told(rule: str = "R4", branch: str = "BJ", owner: str = "M-1", closed: int = 10, wrong: int = 0) -> Learned:
    return Learned(rule, 1, branch, owner, True, closed, wrong)


def test_outcomes_are_summed_up_by_rule_branch_and_owner_in_any_combination() -> None:
    known = [told(), told(branch="SH", wrong=4), told("R1", owner="M-2", closed=2, wrong=1)]
    assert tallies(known, ["rule"]) == {("R1",): Tally(2, 1), ("R4",): Tally(20, 4)}
    assert tallies(known, ["rule", "branch"])["R4", "SH"] == Tally(10, 4)
    assert tallies(known, ["owner"]) == {("M-1",): Tally(20, 4), ("M-2",): Tally(2, 1)}
    assert tallies(known, []) == {(): Tally(22, 5)}
    assert [list(tallies(known, [part])) for part in ("rule", "branch")] == [[("R1",), ("R4",)], [("BJ",), ("SH",)]]


def test_the_share_that_was_relevant_is_of_what_was_closed_and_of_nothing_it_is_nothing() -> None:
    assert (Tally(20, 5).relevant, Tally().relevant) == (0.75, 0.0)


def test_a_branch_speaks_for_itself_once_it_has_told_much_and_with_the_banks_word_before() -> None:
    found = precision([told(closed=1_000), told(branch="SH", closed=1_000, wrong=900), told(branch="GZ", closed=1)])
    whole = found["R4", ""]
    assert 0.5 < whole < 0.6
    assert found["R4", "BJ"] > 0.99
    assert found["R4", "SH"] < 0.11
    assert whole < found["R4", "GZ"] < found["R4", "BJ"]


def test_where_nothing_is_known_of_a_branch_the_rules_own_precision_counts_and_then_the_usual_one() -> None:
    known = terms()._replace(precision=precision([told(closed=100, wrong=100)]))
    assert known.precision_of("R4", "elsewhere") == known.precision_of("R4", "") < 0.1
    assert known.precision_of("R9", "BJ") == NEW_RULE_PRECISION


def test_outcomes_of_customers_without_a_branch_teach_the_whole_bank() -> None:
    found = precision([told(branch="", closed=5)])
    assert found == {("R4", ""): (5 + 5 * NEW_RULE_PRECISION) / 10}


def test_a_rule_is_throttled_for_outcomes_of_its_present_version_since_a_person_enabled_it() -> None:
    desk = Desk(throttle_after=20, throttle_above=60)
    assert throttled([NOISY], {"R4": 2}, desk) == {"R4": Tally(20, 15)}
    assert throttled([NOISY], {"R4": 3}, desk) == {}
    assert throttled([NOISY._replace(fresh=False)], {"R4": 2}, desk) == {}
    assert throttled([NOISY._replace(closed=19)], {"R4": 2}, desk) == {}
    assert throttled([NOISY._replace(not_relevant=12)], {"R4": 2}, desk) == {}
