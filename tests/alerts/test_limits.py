"""What rules ask of facts: two statements that lie on the same side of all that is asked are judged alike."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.asked import Limit
from schemas.changes import Fact, ProfileChange
from services.alerts.adapters.cel_limits import limits
from services.alerts.domain.asking import asked_of
from services.alerts.domain.judging import Judging, Values
from services.profile.domain.facts.catalogue import RUNNING
from services.profile.domain.facts.running import moved
from tests.alerts.test_sieve import CEL, catalogue, statements
from tests.alerts.told import rule, rules

ASKED = asked_of(catalogue()[1])
_DAYS = st.integers(0, 400).map(float)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tenure_days >= 365.0", {"tenure_days": {Limit(365.0)}}),
        ("tenure_days >= 30.0 && tenure_days < 180.0", {"tenure_days": {Limit(30.0), Limit(180.0)}}),
        ("idle > 3.0 * gap", {"idle": {Limit(0.0, 3.0, "gap")}}),
        ("idle > 30.0 + 8.0 * gap || calm", {"idle": {Limit(30.0, 8.0, "gap")}}),
        ("idle > gap ? 2.0 : 1.0", {"idle": {Limit(0.0, 1.0, "gap")}}),
        ("(idle >= 5.0 ? 1.0 : 0.0) + (calm ? 1.0 : 0.0) >= 2.0", {"idle": {Limit(5.0)}}),
        ("word == 'tenure_days > 3.0' && tenure_days > 4.0", {"tenure_days": {Limit(4.0)}}),
    ],
)
def test_a_fact_that_is_only_compared_is_asked_for_its_side_of_a_limit(
    source: str, expected: dict[str, set[Limit]]
) -> None:
    assert limits(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "days + 1.0 > 30.0", "2.0 * days > 30.0", "-days > -30.0", "days > 30.0 * 2.0", "days > 30.0 - gap", "days",
        "30.0 < days", "gap > 2.0 * days", "days > 30.0 && days * 2.0 > gap", "(days) > 30.0", "days > moment.amount",
    ],
)  # fmt: skip
def test_of_a_fact_in_anything_but_plain_comparisons_every_value_counts(source: str) -> None:
    assert "days" not in limits(source)


def test_a_rule_that_is_switched_off_asks_nothing_and_one_that_calculates_asks_wholly() -> None:
    off = rule("R1", when=("assets >= 5.0",), enabled=False)
    plain, calculating = rule("R2", when=("balance_total > 10.0",)), rule("R3", when=("assets + 1.0 > 5.0",))
    asked = asked_of(rules(off, plain, calculating))
    assert asked.limits == {"balance_total": {Limit(10.0)}}
    assert asked.wholly == {"assets"}
    assert asked_of(rules(plain, rule("R4", when=("balance_total * 2.0 > 1.0",)))).limits == {}


def test_the_severity_of_a_rule_asks_as_well() -> None:
    grave = rule("R2", when=("has_salary",), severity="balance_total > 10.0 ? 2.0 : 1.0")
    assert asked_of(rules(grave)).limits == {"balance_total": {Limit(10.0)}}


def test_no_rule_of_the_product_asks_every_day_of_a_fact_that_runs_with_the_days() -> None:
    assert not ASKED.wholly & RUNNING.keys()


@given(statements(), st.dictionaries(st.sampled_from(sorted(RUNNING)), _DAYS, min_size=1), st.data())
def test_rules_judge_alike_whatever_moved_without_passing_a_limit(
    before: ProfileChange, days: dict[str, float], data: st.DataObject
) -> None:
    told: dict[str, Fact] = {**before.facts, **days}
    later: dict[str, Fact] = {name: day + data.draw(st.integers(-3, 3)) for name, day in days.items()}
    unmoved = {name: day for name, day in later.items() if not moved(told, {**told, name: day}, ASKED)}
    assert _judged(before, told) == _judged(before, {**told, **unmoved})


def _judged(change: ProfileChange, facts: dict[str, Any]) -> list[tuple[str, str, int]]:
    change = msgspec.structs.replace(change, facts=facts)
    running = catalogue()[1].rules
    judging = Judging(change, Values.of(change, catalogue()[1].at_rest), running, CEL)
    verdicts = [judging.verdict(one) for one in running if not one.declared.on]
    verdicts += [judging.verdict(one, moment) for one in running for moment in change.moments
                 if one.declared.on == moment.kind]  # fmt: skip
    return [(one.key, one.outcome, one.severity) for one in verdicts]
