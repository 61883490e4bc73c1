"""How rules became what they are, and who made them so."""

from msgspec.structs import replace

from services.alerts.domain.compiled import Rule
from services.alerts.domain.editions import (
    Edition,
    Signatures,
    Signed,
    new_editions,
    new_settings,
    redefined,
    silenced,
)
from services.alerts.domain.terms import Changed
from tests.alerts.told import MISSED, NOON, OUTFLOW, rule, rules

OFF = MISSED._replace(declared=replace(MISSED.declared, enabled=False))
SWITCHED = {"R4": Signed("Li Na", "the file is late")}
SIGNATURES = Signatures({"R4": "bank.yaml", "R1": "bank.yaml"}, {"bank.yaml": "Wang Lei"}, "root", SWITCHED)


def told(stood: list[Edition], *now: Rule) -> list[tuple[str, str, str, str]]:
    return [(one.rule, one.change, one.actor, one.note) for one in new_editions(stood, rules(*now), SIGNATURES, NOON)]


def test_rules_that_are_new_are_told_with_whoever_wrote_their_file() -> None:
    assert told([], MISSED, OUTFLOW) == [("R4", "added", "Wang Lei", ""), ("R1", "added", "Wang Lei", "")]


def test_what_stands_as_it_stood_is_no_news() -> None:
    stood = new_editions([], rules(MISSED, OUTFLOW), SIGNATURES, NOON)
    assert told(stood, OUTFLOW, MISSED) == []


def test_a_switch_is_signed_by_who_switched_and_another_text_by_who_wrote_it() -> None:
    stood = new_editions([], rules(MISSED), SIGNATURES, NOON)
    mended = MISSED._replace(declared=replace(MISSED.declared, enabled=False, cooldown_days=60))
    assert told(stood, OFF) == [("R4", "switched_off", "Li Na", "the file is late")]
    assert told(stood, mended) == [("R4", "changed", "Wang Lei", "")]
    assert told(new_editions(stood, rules(OFF), SIGNATURES, NOON), MISSED) == [
        ("R4", "switched_on", "Li Na", "the file is late")
    ]


def test_a_removal_is_signed_by_who_changed_the_file_and_that_of_a_file_by_who_may_remove_one() -> None:
    stood = new_editions([], rules(MISSED), SIGNATURES, NOON)
    assert told(stood) == [("R4", "removed", "Wang Lei", "")]
    without = Signatures({}, {}, "root", {})
    both = new_editions([], rules(MISSED, OUTFLOW), SIGNATURES, NOON)
    assert [(one.rule, one.actor) for one in new_editions(both, rules(), without, NOON)] == [
        ("R1", "root"),
        ("R4", "root"),
    ]


def test_a_rule_is_silent_once_it_was_switched_off_or_removed_and_is_not_judged() -> None:
    stood = new_editions([], rules(MISSED), SIGNATURES, NOON)
    off, gone = (new_editions(stood, now, SIGNATURES, NOON) for now in (rules(OFF), rules()))
    assert silenced(off, rules(OFF)) == {"R4": "R4 was switched off by Li Na: the file is late"}
    assert silenced(gone, rules()) == {"R4": "R4 was removed by Wang Lei"}
    assert silenced([*off, *gone], rules(MISSED)) == {}
    assert silenced(stood, rules()) == {}


def test_what_a_rule_says_was_changed_by_whoever_changed_its_words_and_by_nobody_who_switched_it() -> None:
    stood = new_editions([], rules(MISSED), SIGNATURES, NOON)
    mended = rules(rule("R4", when=("salary_missed >= 2.0",)))
    assert redefined(new_editions(stood, mended, SIGNATURES, NOON)) == {"R4": Changed(NOON, "Wang Lei")}
    assert redefined([*stood, *new_editions(stood, rules(OFF), SIGNATURES, NOON)]) == {}


def test_a_rule_that_is_no_more_is_told_once_and_may_come_again() -> None:
    stood = new_editions([], rules(MISSED), SIGNATURES, NOON)
    gone = new_editions(stood, rules(), SIGNATURES, NOON)
    assert [(one.rule, one.change, one.file, one.declared) for one in gone] == [("R4", "removed", "bank.yaml", None)]
    assert told(gone) == []
    assert told(gone, MISSED) == [("R4", "added", "Wang Lei", "")]


def test_a_file_without_rules_is_told_with_whoever_wrote_it_and_again_when_it_says_something_else() -> None:
    def settings(stood: list[Edition], **desk: int) -> list[Edition]:
        return new_settings(stood, {"desk.yaml": desk}, {"desk.yaml": "Wang Lei"}, "v1", NOON)

    added = settings([], daily_capacity=20)
    [changed] = settings(added, daily_capacity=30)
    assert [(one.rule, one.name, one.change, one.actor, one.settings) for one in (*added, changed)] == [
        ("", "desk.yaml", "added", "Wang Lei", {"daily_capacity": 20}),
        ("", "desk.yaml", "changed", "Wang Lei", {"daily_capacity": 30}),
    ]
    assert settings([*added, changed], daily_capacity=30) == []


def test_a_changed_desk_is_no_change_of_a_rule() -> None:
    stood = [*new_editions([], rules(MISSED), SIGNATURES, NOON), *new_settings(
        [Edition(rule="", file="desk.yaml", change="added", at=1, actor="root", rule_set="v", settings={})],
        {"desk.yaml": {"daily_capacity": 30}}, {"desk.yaml": "Wang Lei"}, "v", NOON,
    )]  # fmt: skip
    assert (redefined(stood), silenced(stood, rules(MISSED)), told(stood, MISSED)) == ({}, {}, [])
