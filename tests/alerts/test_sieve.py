"""A condition read a second time never says anything else than CEL does."""

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import Fact, FactType, Moment, ProfileChange
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.cel_sieve import sieve
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.domain.compiled import Known, RuleSet
from services.alerts.domain.judging import NOTHING_SEEN, Judging, Values, sifted
from services.cli.declared import known_to_rules
from services.declared_files import directories

CEL = Cel()
_VALUES: dict[FactType, st.SearchStrategy[Fact]] = {
    "number": st.sampled_from([0.0, 1.0, 2.0, 3.0, 40.0, 100.0, 1_000.0, 50_000.0, 5e6]),
    "boolean": st.booleans(),
    "string": st.sampled_from(["", "gold", "profit", "near", "divorce", "wealth", "other"]),
}


@lru_cache
def catalogue() -> tuple[Known, RuleSet]:
    known = known_to_rules()
    return known, load_rules(directories(PRODUCT, ""), known, CEL, {}).rule_set


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
def test_what_the_sieve_keeps_back_does_not_hold(change: ProfileChange) -> None:
    _, rules = catalogue()
    known = Values.of(change, rules.at_rest)
    judging = Judging(change, known, rules.rules, CEL)
    for rule in rules.rules:
        for moment in [one for one in change.moments if one.kind == rule.declared.on] if rule.declared.on else [None]:
            if not sifted([rule], known, moment.values if moment else NOTHING_SEEN):
                assert judging.verdict(rule, moment).outcome == "not", rule.id


FACTS: dict[str, Fact] = {"yes": True, "no": False, "two": 2.0, "nine": 9.0, "gold": "gold", "empty": ""}


@pytest.mark.parametrize(
    "source",
    [
        "yes && two <= nine", "no || two < 3.0", "!(yes && no)", "!no && !no", "yes || no && no", "(yes || no) && no",
        "two + 3.0 * nine - 1.0 == 28.0", "nine - two - 1.0 == 6.0", "nine / 3.0 / two == 1.5", "-two * nine == -18.0",
        "2.0 - -two == 4.0", "yes ? no : yes", "no ? yes : two > 1.0 ? no : yes", "(yes ? two : nine) >= 9.0",
        "gold in ['silver', \"gold\"]", "!(empty in ['a && b'])", "gold == 'gold'", "gold != 'x || y'", "gold > empty",
        "moment.size * two >= 10.0 && moment.kind == 'near'", "moment.far || two == 2.0", "true", "!true", "gold",
        "empty",
    ],
)  # fmt: skip
def test_what_is_read_says_what_cel_says(source: str) -> None:
    fields: dict[str, Fact] = {"size": 5.0, "kind": "near", "far": False}
    context = CEL.context(FACTS)
    CEL.show_moment(context, fields)
    assert bool(sieve([source])(FACTS, fields)) == bool(CEL.compile(source).evaluate(context))


@pytest.mark.parametrize(
    "source",
    [
        "size(gold) > 9.0", "gold.startsWith('x')", "gold == 'it\\'s'", "gold == r'x'", "two in [3.0]", "two == 1.0e3",
        "moment == no", "moment['far']", "two % nine == 1.0", "no &&", "no no", "[no]", "no ? yes", "(no", "",
    ],
)  # fmt: skip
def test_what_is_not_read_passes(source: str) -> None:
    assert sieve([source])(FACTS, {"far": False})


@pytest.mark.parametrize(
    "source",
    [
        "two && no", "no == 2.0", "gold >= 1.0", "two > 1.0 ? gold && no : no", "two / 0.0 > 1.0", "!two",
        "gold - empty > 1.0", "unheard_of",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_left_to_cel(source: str) -> None:
    with pytest.raises((TypeError, KeyError, ArithmeticError)):
        sieve([source])(FACTS, {})
