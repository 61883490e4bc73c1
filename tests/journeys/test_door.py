"""Stories of the door: keys and sources that change, bodies that harm, letters that wait, and who may look."""

import asyncio
import gzip
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.bank import Bank, Json, ago, cny, event, opened
from tests.journeys.platforms import ROOT, PlatformProcess, serving, until
from tests.patience import HANG_S

NDJSON = "application/x-ndjson"


def paid_in(account: str, **told: Any) -> Json:
    return event("cash.deposited", ago(1), "atm", **{"account_no": account, "amount": cny("10.00")} | told)


async def counted(bank: Bank, account: str) -> int:
    view = await bank.customer(account_no=account)
    return int(view["channels"]["atm"]["count"])


async def test_a_withdrawal_that_the_machine_and_the_core_bank_tell_is_one_movement(bank: Bank) -> None:
    source, number, account = f"atm-{bank.digits(6)}", bank.no("withdraws"), bank.no("drawn")
    await bank.command("sources", "set", source, "channel=atm")
    key = json.loads(await bank.command("keys", "create", source, "--channel", "atm", "--json"))["key"]
    await bank.tell(event("account.opened", ago(90), account_no=account, customer_no=number))
    reported = event("cash.withdrawn", ago(1), "atm", account_no=account, amount=cny("200.00"))
    await bank.tell(reported, key=key)
    await bank.tell(event("transaction.posted", ago(0.9), account_no=account, direction="debit", purpose="cash",
                          amount=cny("200.00"), balance_after=cny("800.00")))  # fmt: skip
    view = await bank.customer(customer_no=number)
    assert view["measures"]["outflow_7d"] == cny("200.00")
    assert view["channels"]["atm"]["count"] == 1
    await bank.command("sources", "set", source, "of_record=cash.withdrawn")
    async with asyncio.timeout(HANG_S):  # a running platform follows within a second
        while view["measures"]["outflow_7d"] == cny("200.00"):
            more = event("cash.withdrawn", ago(0.5), "atm", account_no=account, amount=cny("50.00"))
            await bank.tell(more, key=key)
            view = await bank.customer(customer_no=number)
    assert view["measures"]["outflow_7d"] == cny("250.00")


async def test_a_key_that_is_revoked_stops_in_the_middle_of_its_stream(bank: Bank) -> None:
    source, account = f"kiosk-{bank.digits(6)}", bank.no("stream")
    await bank.command("sources", "set", source, "channel=atm", "of_record=cash.deposited")
    made = json.loads(await bank.command("keys", "create", source, "--channel", "atm", "--json"))
    elsewhere = paid_in(account) | {"channel": "online"}
    assert (await bank.publish(elsewhere, made["key"])).status_code == 403
    accepted, revoking = 0, asyncio.create_task(bank.command("keys", "revoke", made["key_id"]))
    async with asyncio.timeout(HANG_S):
        while (answer := await bank.publish(paid_in(account), made["key"])).status_code == 202:
            accepted += 1
            bank.remember(answer)
    await revoking
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert await counted(bank, account) == accepted


async def silent(bank: Bank) -> set[str]:
    return {one["source"] for one in (await bank.get("/v1/sources"))["sources"] if one["silent"]}


async def test_a_source_silent_for_longer_than_its_own_rhythm_is_seen(bank: Bank) -> None:
    source = f"quiet-{bank.digits(6)}"
    await bank.command("sources", "set", source, "channel=atm", "rhythm_ms=500")
    key = json.loads(await bank.command("keys", "create", source, "--channel", "atm", "--json"))["key"]
    await bank.tell(paid_in(bank.no("rare")), key=key)
    async with asyncio.timeout(HANG_S):  # ingest tells of its sources every few seconds
        while source not in (seen := await silent(bank)):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0.1)
    assert "bank" not in seen


async def test_a_refused_event_waits_as_a_dead_letter_until_its_source_is_put_right(bank: Bank) -> None:
    source, account = f"yen-{bank.digits(6)}", bank.no("mended")
    await bank.command("sources", "set", source, "channel=atm", "currency=JPY", "of_record=cash.deposited")
    key = json.loads(await bank.command("keys", "create", source, "--channel", "atm", "--json"))["key"]
    refused = await bank.publish(paid_in(account, amount={"value": "10.50"}), key)
    assert refused.status_code == 422
    assert refused.json()["rejected"][0]["field"] == "amount.value"
    letter = await bank.letter(source)
    assert (letter["reason"], letter["state"]) == ("invalid_amount", "open")
    assert account in await bank.command("dead-letters", "show", letter["letter_id"])
    await bank.command("sources", "set", source, "currency=CNY")
    await bank.command("dead-letters", "replay", letter["letter_id"])
    assert (await bank.letter(source, "replayed"))["letter_id"] == letter["letter_id"]
    await bank.tell(paid_in(account))  # in the same partition, so what was replayed is there before it
    assert await counted(bank, account) == 2


async def test_what_is_sent_again_counts_once_and_other_content_under_the_same_id_is_a_conflict(bank: Bank) -> None:
    account, first = bank.no("twice"), bank.no("receipt")
    once = paid_in(account, id=first)
    nameless = {name: value for name, value in paid_in(account, amount=cny("20.00")).items() if name != "id"}
    for one in (once, once, nameless, nameless):
        await bank.tell(one)
    assert await counted(bank, account) == 2
    await bank.tell(once | {"amount": cny("11.00")})
    assert await counted(bank, account) == 2
    letter = await bank.letter("bank", reason="conflict")
    assert letter["event_id"] == first
    metrics = (await bank.http.get("/metrics", headers=bank.as_("admin"))).text
    assert 'dead_letters_total{reason="conflict",stage="update"}' in metrics


async def test_a_scrape_tells_of_each_stage_how_far_behind_it_is(bank: Bank) -> None:
    stages = ("channel-events", "profile-changes", "alerts")

    async def all_are_told() -> bool:
        metrics = (await bank.http.get("/metrics")).text
        return all(f'counterpoint_lag{{partition="0",topic="{topic}"}} 0.0' in metrics for topic in stages)

    await until(all_are_told)


async def test_one_bad_line_never_fails_the_others(bank: Bank) -> None:
    account = bank.no("lines")
    lines = [json.dumps(paid_in(account)), '{"id": "cut of', json.dumps(paid_in(account, amount=cny("1,200")))]
    lines += [json.dumps(paid_in(account) | {"colour": "red"}), json.dumps(paid_in(account))]
    headers = {"Authorization": f"Bearer {bank.known.ingest_key}", "Content-Type": NDJSON, "Content-Encoding": "gzip"}
    answer = await bank.http.post("/v1/events", content=gzip.compress("\n".join(lines).encode()), headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert [(one["index"], one["field"]) for one in answer.json()["rejected"]] == [
        (1, ""), (2, "amount.value"), (3, "colour"),
    ]  # fmt: skip
    bank.remember(answer)
    assert await counted(bank, account) == 2


PACKED = gzip.compress(json.dumps({"events": [{"id": "x"}] * 100}).encode())
HARMFUL: dict[str, tuple[bytes, dict[str, str], int]] = {
    "truncated gzip": (PACKED[:-12], {"Content-Encoding": "gzip"}, 400),
    "a gzip bomb": (gzip.compress(b" " * 100_000_000), {"Content-Encoding": "gzip"}, 413),
    "a body too large": (b" " * 20_000_000, {}, 413),
    "ten thousand brackets": (b"[" * 10_000 + b"]" * 10_000, {}, 422),
    "no JSON": (b'{"id": NaN}', {}, 400),
    "invalid UTF-8": (b'{"id": "\xff\xfe"}', {}, 400),
    "another format": (b"<event/>", {"Content-Type": "text/xml"}, 415),
    "nothing": (b"", {}, 400),
}


@pytest.mark.parametrize("name", sorted(HARMFUL))
async def test_a_body_that_harms_is_refused_in_words_and_the_door_stays_open(bank: Bank, name: str) -> None:
    body, extra, status = HARMFUL[name]
    headers = {"Authorization": f"Bearer {bank.known.ingest_key}", "Content-Type": "application/json", **extra}
    answer = await bank.http.post("/v1/events", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert (await bank.publish(paid_in(bank.no("after")))).status_code == 202


STRANGE: dict[str, Json] = {
    "occurred_at": {"occurred_at": "2126-01-01T00:00:00Z"},
    "amount.value": {"amount": cny("NaN")},
    "amount.value ": {"amount": cny("1e400")},
    "amount.value  ": {"amount": cny("1.123456789012")},
    "amount.currency": {"amount": {"value": "1.00", "currency": "XQX"}},
    "id": {"id": "   "},
    "id ": {"id": "nul\0nul"},
    "type": {"type": "moon.landed"},
    "type ": {"type": "paid.4111111111111111"},
    "attributes.colour": {"attributes": {"colour": "red"}},
    "sequence": {"sequence": 2**70},
}


@pytest.mark.parametrize("field", sorted(STRANGE))
async def test_a_strange_event_is_refused_by_the_name_of_its_field(bank: Bank, field: str) -> None:
    answer = await bank.publish(paid_in(bank.no("strange")) | STRANGE[field])
    assert answer.status_code == 422
    [refused] = answer.json()["rejected"]
    assert refused["field"] == field.strip()
    assert "4111111111111111" not in answer.text


async def test_nobody_without_a_role_sees_anything_but_health(bank: Bank) -> None:
    number = bank.no("private")
    await bank.tell(event("customer.registered", ago(1), customer_no=number))
    view = await bank.customer(customer_no=number)
    place = f"/v1/customers/{view['customer_id']}"
    for path in (f"/v1/customers?customer_no={number}", place, f"{place}/timeline", f"{place}/identity",
                 f"{place}/facts", f"{place}/live", "/v1/sources", "/v1/dead-letters", "/v1/reviews"):  # fmt: skip
        for headers in ({}, {"Authorization": f"Bearer {bank.known.ingest_key}"}):
            assert (await bank.http.get(path, headers=headers)).status_code == 401, path
    assert (await bank.http.get("/v1/dead-letters", headers=bank.as_("manager"))).status_code == 403
    assert (await bank.publish(paid_in(number), bank.known.admin_token)).status_code == 401
    for path in ("/health/live", "/health/ready"):
        assert (await bank.http.get(path)).status_code == 200


async def test_a_bank_says_which_numbers_are_cards_and_where_its_phones_are(tmp_path: Path) -> None:
    chosen = {"COUNTERPOINT_CARD_RANGES": "51-55:16", "COUNTERPOINT_REGION": "CZ"}
    async with serving(tmp_path, **chosen) as at, opened(at.known, tmp_path) as bank:
        account, card = "6222020200112345679", "5555555555554444"
        await bank.tell(event("account.opened", ago(1), account_no=account, customer_no="1", branch=card))
        await bank.tell(event("customer.registered", ago(1), customer_no="1", phone="601 123 456"))
        view = await bank.customer(account_no=account)
        assert [one["account_no"] for one in view["accounts"]] == [account]
        assert card not in str(await bank.get(f"/v1/customers/{view['customer_id']}/timeline"))
        assert (await bank.customer(phone="601 123 456"))["customer_id"] == view["customer_id"]


async def test_a_second_platform_on_the_same_data_is_refused_and_the_first_goes_on(bank: Bank) -> None:
    command = (sys.executable, "-m", "services.cli", "run", "--data", str(bank.data), "--port", "0", "--no-simulator")
    second = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    _, said = await second.communicate()
    assert (second.returncode, b"in use by another running platform" in said) == (1, True)
    assert (await bank.publish(paid_in(bank.no("goes-on")))).status_code == 202


async def test_a_platform_that_is_stopped_and_started_again_has_lost_nothing(tmp_path: Path) -> None:
    process = PlatformProcess(tmp_path)
    known = await process.start()
    try:
        async with opened(known, tmp_path) as bank:
            account = bank.no("kept")
            await bank.tell(*(paid_in(account) for _ in range(50)))
    finally:
        assert await process.stop() == 0
    known = await process.start()
    try:
        async with opened(known, tmp_path, told=bank) as again:
            assert await counted(again, account) == 50
    finally:
        assert await process.stop() == 0


async def test_a_platform_told_to_stop_in_the_moment_it_serves_stops_cleanly(tmp_path: Path) -> None:
    process = PlatformProcess(tmp_path)
    starting = asyncio.create_task(process.start())
    async with asyncio.timeout(HANG_S):
        while not (tmp_path / "told.json").exists():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0)
    assert await process.stop() == 0
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
