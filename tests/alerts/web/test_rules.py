"""Rules over HTTP: what they are, why they hold or not, and who switches them."""

from services.alerts.domain.learning import Learned
from tests.alerts.told import rule, rules, statement
from tests.alerts.web.branch import LEAVING, Branch


async def test_rules_are_listed_with_what_their_outcomes_say() -> None:
    branch = Branch(rules(rule("R4", when=("has_salary",), cooldown_days=9), rule("R5", when=("has_salary",))))
    branch.current.learn([Learned("R4", 1, "BJ", "M-1", True, 25, 20)])
    branch.current.stop_rule("R5", "met a text")
    agent = await branch.sign_in("agent")
    listed = (await agent.get("/v1/rules")).json()
    assert listed["version"] == "test"
    told = {one["id"]: one for one in listed["rules"]}
    assert (told["R4"]["throttled"], told["R4"]["precision"], told["R4"]["cooldown_days"]) == (True, 8.5 / 30, 9)
    assert (told["R5"]["stopped"], told["R5"]["precision"], told["R5"]["when"]) == ("met a text", None, ["has_salary"])


async def test_every_rule_says_why_it_holds_or_not_for_a_customer() -> None:
    branch = Branch()
    alert = await branch.leaving()
    agent = await branch.sign_in("agent")
    told = (await agent.get("/v1/customers/c1/rules")).json()
    assert (told["customer_id"], told["version"]) == ("c1", 1)
    found = {one["id"]: one for one in told["rules"]}
    assert {name: one["status"] for name, one in found.items()} == {
        "R4": "holds", "R1": "no_moment", "U3": "not", "G1": "not",
    }  # fmt: skip
    assert (found["R4"]["alert_id"], found["R4"]["value"], found["R4"]["value_is"]) == (
        alert.alert_id,
        80_000.0,
        "known",
    )
    assert found["U3"]["parts"] == [{"condition": "balance_total >= 1000.0", "holds": False, "missing": []}]


async def test_it_is_told_of_the_newest_statement_and_not_of_the_last_judged() -> None:
    branch = Branch()
    await branch.leaving()
    branch.statements["c1"] = statement(2, has_salary=True)
    agent = await branch.sign_in("agent")
    found = (await agent.get("/v1/customers/c1/rules")).json()
    assert (found["version"], {one["id"]: one["status"] for one in found["rules"]}["R4"]) == (2, "not")


async def test_it_is_told_whether_all_that_is_known_of_the_customer_was_judged() -> None:
    branch = Branch()
    await branch.leaving()
    agent = await branch.sign_in("agent")
    assert (await agent.get("/v1/customers/c1/rules")).json()["up_to_date"] is True
    branch.behind.add("c1")
    assert (await agent.get("/v1/customers/c1/rules")).json()["up_to_date"] is False


async def test_a_customer_nobody_knows_is_not_found() -> None:
    agent = await Branch().sign_in("agent")
    assert (await agent.get("/v1/customers/nobody/rules")).status_code == 404


async def test_a_switch_is_signed_and_kept_with_its_reason() -> None:
    branch = Branch()
    admin = await branch.sign_in("admin", name="Zhao")
    answer = await admin.post("/v1/rules/R4/disable", json={"reason": "holidays"})
    assert (answer.status_code, answer.json()["enabled"], answer.json()["actor"]) == (200, False, "Zhao")
    await admin.post("/v1/rules/R4/enable", json={"reason": "over"})
    [said] = await branch.store.switches()
    assert (said.rule, said.enabled, said.actor, said.note) == ("R4", True, "Zhao", "over")


async def test_a_switch_needs_a_known_rule_and_a_reason() -> None:
    branch = Branch()
    admin = await branch.sign_in("admin")
    assert (await admin.post("/v1/rules/R99/disable", json={"reason": "x"})).status_code == 404
    for reason in (" ", "no\0end", "x" * 501):
        answer = await admin.post("/v1/rules/R4/disable", json={"reason": reason})
        assert (answer.status_code, answer.json()["field"]) == (422, "reason")
    assert await branch.store.switches() == []


async def test_a_rule_in_its_cooldown_says_until_when() -> None:
    branch = Branch()
    alert = await branch.leaving()
    chief = await branch.sign_in("manager")
    await chief.post(f"/v1/alerts/{alert.alert_id}/false-alarm")
    await branch.hear(statement(2), statement(3, **LEAVING))
    told = (await chief.get("/v1/customers/c1/rules")).json()["rules"]
    [salary] = [one for one in told if one["id"] == "R4"]
    assert (salary["status"], salary["cooling_until"][:10]) == ("cooling_down", "2026-12-23")
