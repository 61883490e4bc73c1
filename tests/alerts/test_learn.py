"""Who answers for a rule is told once that it is throttled, and once that it is no longer."""

import pytest

from services.alerts.domain.alert import Outcome
from services.alerts.domain.editions import Signatures
from services.alerts.domain.lifecycle import StepRequest
from services.alerts.domain.notices import Notice
from services.alerts.domain.rules import Desk
from services.alerts.learn import Learn
from services.alerts.ports import RuleSwitch
from services.alerts.record import record
from tests.alerts.test_act import CHIEF
from tests.alerts.told import rule, rules, statement
from tests.alerts.web.branch import LEAVING, Branch

SALARY = rule("R4", when=("has_salary", "salary_missed >= 1.0"), owner="M-9")
DESK = Desk(throttle_after=2, throttle_above=60)


async def branch_with(wrong: int) -> tuple[Branch, Learn]:
    """So many alerts were closed as not relevant."""
    branch = Branch(rules(SALARY))
    branch.current.take(branch.current.rules, DESK)
    for number in range(wrong):
        alert = await branch.leaving(f"c{number}")
        await branch.act.on(alert.alert_id, StepRequest("false_alarm"), CHIEF)
    return branch, Learn(branch.store, branch.current)


async def told(branch: Branch) -> list[Notice]:
    return (await branch.store.recent_notices(0, 9))[::-1]


async def test_a_throttled_rule_is_told_once_whoever_learns_and_raises_nothing() -> None:
    branch, learn = await branch_with(2)
    now = branch.clock.now_ms()
    [said] = await learn.apply(now)
    assert (said.rule, said.matter, said.began, said.owner, said.seen, said.among) == (
        "R4",
        "throttled",
        True,
        "M-9",
        2,
        2,
    )
    assert await learn.apply(now + 1) == ()
    assert list(await Learn(branch.store, branch.current).apply(now + 2)) == []
    assert await told(branch) == [said]
    await branch.hear(statement(1, "c9", **LEAVING))
    assert len(await branch.store.learned()) == 1


async def test_many_outcomes_are_not_read_again_before_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.alerts.learn.OUTCOMES_A_SECOND", 2)
    branch, learn = await branch_with(1)
    now = branch.clock.now_ms()
    assert await learn.apply(now) == ()
    alert = await branch.leaving("c9")
    await branch.act.on(alert.alert_id, StepRequest("false_alarm"), CHIEF)
    assert await learn.apply(now + 499) == ()
    assert [one.matter for one in await learn.apply(now + 500)] == ["throttled"]


@pytest.mark.parametrize("outcomes_a_second", [1, 1_000_000])
async def test_it_ends_when_a_person_enables_the_rule_who_signs_it_and_only_later_outcomes_count(
    monkeypatch: pytest.MonkeyPatch, outcomes_a_second: int
) -> None:
    monkeypatch.setattr("services.alerts.learn.OUTCOMES_A_SECOND", outcomes_a_second)
    branch, learn = await branch_with(2)
    now = branch.clock.now_ms()
    await learn.apply(now)
    await branch.store.switch(RuleSwitch("R4", True, "Mei", now + 1, "the list of employers is mended"))
    [ended] = await learn.apply(now + 2)
    assert (ended.began, ended.actor, ended.note) == (False, "Mei", "the list of employers is mended")
    assert branch.current.terms.throttled == frozenset()
    assert await learn.apply(now + 3) == ()


async def test_it_does_not_end_by_what_a_person_had_enabled_before() -> None:
    branch, learn = await branch_with(2)
    now = branch.clock.now_ms()
    await branch.store.switch(RuleSwitch("R4", True, "Mei", now - 1, "it is needed"))
    assert [one.began for one in await learn.apply(now)] == [True]
    assert await learn.apply(now + 1) == ()


async def test_it_does_not_end_when_a_person_switches_the_rule_off() -> None:
    branch, learn = await branch_with(2)
    now = branch.clock.now_ms()
    await learn.apply(now)
    await branch.store.switch(RuleSwitch("R4", False, "Mei", now + 1, "nobody needs it"))
    assert await learn.apply(now + 2) == ()


async def test_it_ends_by_itself_when_the_rule_is_another_one() -> None:
    branch, learn = await branch_with(2)
    await learn.apply(branch.clock.now_ms())
    mended = rule("R4", when=("has_salary", "salary_missed >= 2.0"), version=2, owner="M-9")
    branch.current.take(rules(mended), DESK)
    [ended] = await learn.apply(branch.clock.now_ms())
    assert (ended.began, ended.actor) == (False, "system")


async def test_outcomes_remember_the_branch_and_the_owner() -> None:
    branch, _ = await branch_with(0)
    alert = await branch.leaving(branch="BJ-7")
    await branch.act.on(alert.alert_id, StepRequest("claim"), CHIEF)
    await branch.act.on(alert.alert_id, StepRequest("outcome", outcome=Outcome(result="saved")), CHIEF)
    [learned] = await branch.store.learned()
    assert (learned.branch, learned.owner, learned.closed, learned.not_relevant) == ("BJ-7", "M-1", 1, 0)


async def test_who_answers_for_a_rule_is_told_that_it_was_stopped_and_that_another_text_of_it_runs() -> None:
    branch, learn = await branch_with(0)
    now = branch.clock.now_ms()
    await branch.hear(statement(1, "c1", has_salary=True, salary_missed="two"))
    [said] = await learn.apply(now)
    assert (said.rule, said.matter, said.owner, bool(said.note)) == ("R4", "stopped", "M-9", True)
    other = Learn(branch.store, Branch(rules(SALARY)).current)
    assert (await learn.apply(now + 1), await other.apply(now + 1)) == ((), ())
    mended = rule("R4", when=("has_salary",), version=2, owner="M-9")
    branch.current.written_down(await record(branch.store, rules(mended), Signatures({}, {}, "root", {}), now + 2))
    branch.current.take(rules(mended), DESK)
    [ended] = await learn.apply(now + 3)
    assert (ended.matter, ended.began) == ("stopped", False)
