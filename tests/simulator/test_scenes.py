"""Turning points in the live traffic: often enough to be seen, about others than the stories, heard by the rules."""

from datetime import timedelta
from functools import partial

import pytest

from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.instants import HOUR_MS, MINUTE_MS
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.cli.declared import known_of
from services.cli.rules.rerun import Happened, Rerun, steps
from services.declared_files import directories
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.personal import reference
from services.profile.settings import Choices
from services.simulator.bank import Bank, customer_no, is_company, start_of
from services.simulator.books import Event
from services.simulator.plan import Planned
from services.simulator.scenes import scenes
from services.simulator.stories import story_of
from services.simulator.traffic import Traffic
from tests.profile.told import SECRET, admitted
from tests.simulator.conftest import ANCHOR

BANK = Bank(3, 60, ANCHOR)
BEGAN = start_of(ANCHOR) + 9 * HOUR_MS
ANSWERS = [{"R13", "R14"}, {"R10", "R11"}, {"R1", "R2", "R7"}, {"U1"}]
"""The rules of which one speaks of a refused card, a complaint, money that leaves, a large sum."""


def played(first: int, until: int) -> list[Planned]:
    return list(scenes(BANK, BEGAN, first, until))


def test_a_scene_begins_each_minute_of_the_first_quarter_of_an_hour_then_each_quarter() -> None:
    planned = played(BEGAN, BEGAN + 2 * HOUR_MS)
    begins = [min(one.at for one in planned if one.place // 100 == place) - BEGAN
              for place in sorted({one.place // 100 for one in planned})]  # fmt: skip
    assert [at // MINUTE_MS for at in begins] == [*range(15), *range(15, 120, 15)]


def test_each_is_about_another_person_without_a_story() -> None:
    numbers = [one.number for one in played(BEGAN, BEGAN + 20 * MINUTE_MS) if one.place % 100 == 0]
    assert len(set(numbers)) == len(numbers) == 16
    assert not [one for one in numbers if is_company(one) or story_of(BANK, one)]


@pytest.mark.parametrize("step", [500, 7_000, 90_000])
def test_it_does_not_matter_in_which_steps_they_are_played(step: int) -> None:
    until = BEGAN + 50 * MINUTE_MS
    pieces = [one for first in range(BEGAN, until, step) for one in played(first, min(first + step, until))]
    assert pieces == played(BEGAN, until)


def test_a_bank_without_anybody_who_could_play_has_none() -> None:
    assert list(scenes(Bank(1, 1, ANCHOR), BEGAN, BEGAN, BEGAN + HOUR_MS)) == []


async def test_a_rule_speaks_of_each_as_it_happens() -> None:
    declared = load_declarations(refer=partial(reference, secret=SECRET))
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    rerun = Rerun(load_catalogue(), declared, SECRET, loaded.rule_set, loaded.desk, Choices(), BEGAN)
    await rerun.begin()
    traffic = Traffic(BANK, ANCHOR - timedelta(days=60), bustle_from_ms=BEGAN, plays=True)
    for until in range(BEGAN, BEGAN + 5 * MINUTE_MS, MINUTE_MS):
        for some in steps(map(happened, traffic.advance(until)), MINUTE_MS):
            await rerun.take(some)
    alerts = await rerun.found()
    planned = played(BEGAN, BEGAN + 4 * MINUTE_MS)
    for scene, answers in enumerate(ANSWERS):
        number = next(one.number for one in planned if one.place % 10**6 // 100 == scene)
        who = await rerun.customer_of(f"party:{customer_no(number)}")
        said = {one.rule for alert in alerts if alert.customer_id == who for one in alert.evidence}
        assert said & answers, (scene, said)


def happened(raw: Event) -> Happened:
    event = admitted(raw)
    return Happened(event.occurred_at, encode_event(event))
