"""`rules explain` beside a running platform, and where there is none."""

import httpx
import pytest

from services.cli.rules.commands import explained
from tests.cli.conftest import Command, Platform


@pytest.fixture(scope="module")
def customer(platform: Platform) -> str:
    """Registered a moment ago, and nothing more is known."""
    event = {
        "id": "reg-1", "channel": "corebank", "type": "customer.registered", "occurred_at": "2026-11-22T10:00:00Z",
        "identifiers": {"customer_no": "10000017"}, "attributes": {"kind": "person"},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {platform.credentials['ingest_key']}"}
    answer = httpx.post(f"{platform.credentials['base_url']}/v1/events", json=event, headers=headers)
    assert answer.is_success, answer.text
    found = platform.until("customers", "find", "customer_no=10000017", holds=bool)
    return str(found[0]["customer_id"])


def asked(platform: Platform, *more: str) -> tuple[str, ...]:
    said = platform.credentials
    return ("rules", "explain", *more, "--url", said["base_url"], "--token", said["agent_token"])


def test_what_holds_or_is_in_doubt_is_told_with_the_reason(platform: Platform, customer: str) -> None:
    told = platform.run(*asked(platform, "customer_no=10000017")).out
    assert told == platform.run(*asked(platform, customer)).out
    assert "!marketing_consent" in told
    assert "age is not known" in told
    assert "Salary has not come" not in told


def test_every_rule_is_told_with_the_part_that_fails(platform: Platform, customer: str) -> None:
    told = platform.run(*asked(platform, customer, "--all", "--language", "zh")).out
    assert "工资未按期入账" in told
    assert "salary_missed >= 1.0" in told
    judged = platform.run(*asked(platform, customer, "--json")).json
    rules = {one["id"]: one for one in judged["rules"]}
    assert judged["up_to_date"]
    assert (rules["G3"]["status"], rules["R4"]["status"]) == ("holds", "not")


def test_somebody_who_is_not_there_is_one_sentence(platform: Platform) -> None:
    said = platform.run(*asked(platform, "cus_nobody"))
    assert (said.code, said.err) == (1, "error: 404: no customer has this id\n")
    said = platform.run(*asked(platform, "customer_no=nobody"))
    assert (said.code, said.err) == (1, "error: no customer has customer_no=nobody\n")


def test_a_token_that_is_not_known_is_refused(platform: Platform, customer: str) -> None:
    said = platform.run("rules", "explain", customer, "--url", platform.credentials["base_url"], "--token", "nobody")
    assert (said.code, said.err[:11]) == (1, "error: 401:")


def test_without_a_platform_what_is_missing_is_named(counterpoint: Command) -> None:
    unknown = counterpoint("rules", "explain", "cus_1").err
    assert "a token is needed: --token" in unknown
    assert "credentials.json" in unknown, "where it was looked for"
    assert "say where the platform is" in counterpoint("rules", "explain", "cus_1", "--token", "t").err
    nobody = counterpoint("rules", "explain", "cus_1", "--token", "t", "--url", "http://127.0.0.1:9")
    assert nobody.err == (
        "error: nobody answers at http://127.0.0.1:9: is it running? --url or COUNTERPOINT_URL names another one\n"
    )


def test_what_is_at_stake_is_told_of_a_rule_that_holds_and_said_to_be_unknown_where_it_is() -> None:
    rule: dict[str, object] = {
        "id": "R4", "status": "holds", "holds": True, "parts": [], "values": {}, "missing": [], "not_covered": [],
        "held_back_by": None, "why": None, "cooling_until": None, "alert_id": None,
    }  # fmt: skip

    def told(value: float | None, value_is: str) -> object:
        return explained({**rule, "value": value, "value_is": value_is}, "CNY")["because"]

    assert told(80_000.0, "known") == "· at stake CNY 80,000"
    assert told(None, "unknown") == "· what is at stake is not known"
    assert (told(None, "not_asked"), told(0.0, "known")) == ("", "")


def test_the_alert_that_a_rule_has_raised_is_named() -> None:
    told = explained({
        "id": "R4", "status": "already_said", "holds": True, "parts": [], "values": {}, "missing": [], "value": None,
        "not_covered": [], "held_back_by": None, "why": None, "cooling_until": None, "value_is": "unknown",
        "alert_id": "al_1",
    }, None)  # fmt: skip
    assert (told["status"], told["because"]) == ("already said", "· what is at stake is not known\n· said in al_1")
