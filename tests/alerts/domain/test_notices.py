"""Which rules say nothing for now, and what whoever answers for them is told."""

from services.alerts.domain.notices import Notice, notice, paused, to_do
from services.alerts.domain.rules import EMPTY
from tests.alerts.told import MISSED, NOON, rules

PAUSED = notice(rules(MISSED), "R4", "paused", NOON, began=True)


def resting(told: Notice, enabled_at: int = 0) -> bool:
    return paused([told], {"R4": enabled_at}) == {"R4"}


def test_a_rule_rests_until_a_person_enables_it_after_the_pause_has_begun() -> None:
    assert [resting(PAUSED, at) for at in (0, NOON, NOON + 1)] == [True, True, False]


def test_only_what_is_paused_now_rests_until_a_person_enables_it() -> None:
    assert not resting(notice(rules(MISSED), "R4", "paused", NOON, began=False))
    assert not resting(notice(rules(MISSED), "R4", "throttled", NOON, began=True))


def test_a_rule_that_no_file_has_any_more_has_neither_name_nor_owner() -> None:
    gone = notice(rules(), "R4", "stopped", NOON, began=True)
    assert (gone.rule, gone.name, gone.owner) == ("R4", EMPTY, "")


def test_what_has_ended_asks_for_nothing() -> None:
    assert to_do(PAUSED, "en").startswith("See whether a file is late")
    assert to_do(notice(rules(MISSED), "R4", "paused", NOON, began=False), "en") == ""
