"""What a condition needs, read off its text, never says anything else than CEL does."""

from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import Fact, FactType, Moment, ProfileChange
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.cel_needs import needs
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.domain.compiled import Known, RuleSet
from services.alerts.domain.judging import NOTHING_SEEN, Judging, Values, may_hold
from services.cli.declared import known_to_rules
from services.declared_files import place

CEL = Cel()
_VALUES: dict[FactType, st.SearchStrategy[Fact]] = {
    "number": st.sampled_from([0.0, 1.0, 2.0, 3.0, 40.0, 100.0, 1_000.0, 50_000.0, 5e6]),
    "boolean": st.booleans(),
    "string": st.sampled_from(["", "gold", "profit", "near", "divorce", "wealth", "other"]),
}


@lru_cache
def catalogue() -> tuple[Known, RuleSet]:
    known = known_to_rules()
    return known, load_rules(place(PRODUCT, ""), known, CEL, {}).rule_set


@st.composite
def statements(draw: st.DrawFn) -> ProfileChange:
    known, rules = catalogue()
    asked = sorted(set[str]().union(*(rule.judged for rule in rules.rules)))
    some = draw(st.lists(st.sampled_from(asked), unique=True, max_size=60))
    facts = {name: draw(_VALUES[known.facts[name]]) for name in some}
    missing = draw(st.lists(st.sampled_from(asked), unique=True, max_size=3))
    moments = [
        Moment(moment_id=kind, kind=kind, occurred_at=1, event_id=kind, values={
            field: draw(_VALUES[type_]) for field, type_ in known.moments[kind].items() if draw(st.booleans())
        })
        for kind in draw(st.lists(st.sampled_from(sorted(known.moments)), unique=True, max_size=3))
    ]  # fmt: skip
    told = {name: value for name, value in facts.items() if value and name not in missing}
    return ProfileChange(customer_id="c", version=1, kind="person", changed_at=1, facts=told, missing=missing,
                         moments=moments)  # fmt: skip


@given(statements())
def test_what_may_not_hold_does_not_hold(change: ProfileChange) -> None:
    _, rules = catalogue()
    judging, known = Judging(change, rules.rules, rules.at_rest, CEL), Values.of(change, rules.at_rest)
    for rule in rules.rules:
        for moment in [one for one in change.moments if one.kind == rule.declared.on] if rule.declared.on else [None]:
            if not may_hold(rule, known, moment.values if moment else NOTHING_SEEN):
                assert judging.verdict(rule, moment).outcome == "not", rule.id


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("has_salary", [("has_salary", False, True)]),
        ("!moment.external && assets >= 5.0", [("external", True, False), ("assets", False, 5.0)]),
        ("(tier in ['gold', \"profit\"]) && a - b >= 1.0", [("tier", False, frozenset({"gold", "profit"}))]),
        ("(a || b) && tier == 'x && y'", [("tier", False, "x && y")]),
        ("a > 0.4 * b && c < d", [("a", False, 0.4), ("c", False, 1.0)]),
        ("a && b || c", []),
        ("a >= 1.0 ? b : c", []),
        ("a >= 1.0 && b == 'it\\'s && c && d'", []),
    ],
)
def test_only_what_is_joined_by_and_is_needed(source: str, found: list[tuple[str, bool, Any]]) -> None:
    assert [(one.name, one.of_moment, one.than) for one in needs(source)] == found
