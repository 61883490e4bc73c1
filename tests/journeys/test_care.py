"""Stories of what staff see of a customer in time: cards, complaints, consents, wealth, owners, live screens."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import msgspec
import pytest

from tests.journeys.bank import Bank, Json, ago, balances, cny, event

CARD = "4111111111111111"


async def test_a_card_declined_abroad_is_seen_by_the_call_center_before_the_customer_explains(bank: Bank) -> None:
    number, phone = bank.no("traveller"), f"+86137{bank.digits(8)}"
    await bank.tell(
        event("customer.registered", ago(300), customer_no=number, phone=phone, name="Chen Yu"),
        event("card.issued", ago(200), card_no=CARD, customer_no=number, card_kind="debit"),
        event("transaction.declined", ago(minutes=4), "pos", card_no=CARD, amount=cny("300.00"), reason="foreign_block",
              merchant_country="JP", foreign=True),
        event("call.offered", ago(minutes=1), "call_center", phone=phone, contact_id=bank.no("call")),
    )  # fmt: skip
    view = await bank.customer(phone=phone)
    assert view["measures"]["declines_24h"] == 1
    assert view["contacts"][0]["status"] == "offered"
    [moment] = [one for one in (await bank.about(view, "facts"))["moments"] if one["kind"] == "declined"]
    assert (
        moment["occurred_at"]
        == (await bank.about(view, "timeline", type="transaction.declined"))["events"][0]["occurred_at"]
    )
    assert (moment["values"]["merchant_country"], moment["values"]["card_last4"]) == ("JP", "1111")
    [found] = await bank.customers(card_no="4111 1111 1111 1111")
    assert found["customer_id"] == view["customer_id"]
    told = msgspec.json.encode([view, await bank.about(view, "timeline"), await bank.about(view, "identity")])
    assert CARD.encode() not in told


async def test_a_complaint_stays_open_until_it_is_resolved_and_opens_again(bank: Bank) -> None:
    number, case = bank.no("upset"), bank.no("case")
    opened = event("case.opened", ago(9), "call_center", customer_no=number, case_id=case, case_kind="complaint",
                   due_at=ago(2))  # fmt: skip
    await bank.tell(opened)
    view = await bank.customer(customer_no=number)
    assert (view["flags"]["complaint_open"], view["cases"][0]["overdue"]) == (True, True)
    await bank.tell(event("case.resolved", ago(1.5), "call_center", case_id=case))
    assert not (await bank.customer(customer_no=number))["flags"]["complaint_open"]
    await bank.tell(event("case.reopened", ago(1), "call_center", case_id=case))
    view = await bank.customer(customer_no=number)
    assert (view["flags"]["complaint_open"], view["cases"][0]["status"]) == (True, "open")


async def test_a_bereaved_and_vulnerable_customer_is_marked_for_everybody_to_see(bank: Bank) -> None:
    number = bank.no("gentle")
    await bank.tell(
        event("vulnerability.flagged", ago(20), "counter", customer_no=number, vulnerability="health"),
        event("life_event.recorded", ago(10), "counter", customer_no=number, kind="bereavement"),
        event("case.opened", ago(5), "counter", customer_no=number, case_id=bank.no("theft"), case_kind="fraud"),
    )
    flags = (await bank.customer(customer_no=number))["flags"]
    assert flags == {"bereaved": True, "vulnerable": True, "fraud_case": True, "complaint_open": False}
    await bank.tell(event("vulnerability.cleared", ago(1), "counter", customer_no=number))
    assert not (await bank.customer(customer_no=number))["flags"]["vulnerable"]


async def test_the_last_word_on_a_consent_stands_in_whatever_order_the_channels_deliver(bank: Bank) -> None:
    words = [("given", 30), ("withdrawn", 20), ("given", 10)]
    for place, order in enumerate(permutations(words)):
        number = bank.no(f"choosy{place}")
        for word, days in order:
            await bank.tell(event(f"consent.{word}", ago(days), "mobile", customer_no=number, purpose="marketing"))
        await bank.tell(
            event("consent.withdrawn", ago(5), "mobile", customer_no=number, purpose="marketing", contact_channel="sms")
        )
        told = (await bank.customer(customer_no=number))["consents"]["marketing"]
        assert (told["*"]["given"], told["sms"]["given"]) == (True, False)


async def test_a_refusal_under_either_number_stands_for_a_person_who_has_two(bank: Bank) -> None:
    numbers = (bank.no("yes"), bank.no("no"))
    for number, word in zip(numbers, ("given", "withdrawn"), strict=True):
        await bank.tell(event(f"consent.{word}", ago(3), "mobile", customer_no=number, purpose="marketing"))
    ids = [(await bank.customer(customer_no=number))["customer_id"] for number in numbers]
    await bank.decide("merge", customer_ids=ids, reason="one person")
    assert (await bank.customer(customer_no=numbers[0]))["consents"]["marketing"]["*"]["given"] is False


async def test_a_customer_near_private_banking_and_rising_is_told_by_how_much(bank: Bank) -> None:
    number, account = bank.no("rising"), bank.no("savings")
    await bank.tell(
        event("account.opened", ago(400), account_no=account, customer_no=number, account_kind="savings"),
        event("transaction.posted", ago(120), account_no=account, direction="credit", amount=cny("4000000.00"),
              balance_after=cny("4000000.00")),
        event("transaction.posted", ago(10), account_no=account, direction="credit", amount=cny("500000.00"),
              balance_after=cny("4500000.00")),
        event("term_deposit.opened", ago(9), contract_id=bank.no("deposit"), customer_no=number,
              amount=cny("800000.00"), matures_on="2099-01-01"),
    )  # fmt: skip
    view = await bank.customer(customer_no=number)
    assets = view["assets"]
    assert (assets["total"], assets["to_threshold"]) == (cny("5300000.00"), cny("700000.00"))
    assert (assets["band"], assets["direction"], assets["ago_30"]) == ("near", "rising", cny("4000000.00"))
    weighed = view["value"]
    assert weighed["tier"] == view["tier"]
    assert [one["name"] for one in weighed["dimensions"]] == ["contribution", "risk", "breadth", "potential"]
    assert all(
        term["points"] is None or 0 <= term["points"] <= 100 for one in weighed["dimensions"] for term in one["terms"]
    )


async def test_a_salary_is_learned_from_its_habit_and_the_next_one_is_expected(bank: Bank) -> None:
    number, account = bank.no("employee"), bank.no("payroll")
    today = datetime.now(UTC)
    months = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(10, 0, -1)]
    await bank.tell(
        event("account.opened", ago(400), account_no=account, customer_no=number),
        *(event("salary.credited", f"{year}-{month + 1:02d}-15T09:00:00+08:00", account_no=account,
                amount=cny("18500.00"), balance_after=cny("20000.00"),
                counterparty={"name": "Northern Steel", "account_no": "900", "bank": "OWNB", "kind": "employer"})
          for year, month in months),
    )  # fmt: skip
    salary = (await bank.customer(customer_no=number))["behaviour"]["salary"]
    assert (salary["median"], salary["credits"], salary["period"]) == (cny("18500.00"), 10, "monthly")
    assert salary["next_due"] > f"{today.year}-{today.month:02d}-10"


@pytest.mark.parametrize("late", [False, True])
async def test_a_reversed_withdrawal_never_happened_in_whatever_order_it_is_told(bank: Bank, late: bool) -> None:
    number, account, original = bank.no("refunded"), bank.no("current"), bank.no("withdrawal")
    withdrawn = event("cash.withdrawn", ago(2), "atm", id=original, account_no=account, amount=cny("500.00"))
    reversal = event("transaction.reversed", ago(1), "atm", account_no=account, amount=cny("500.00"), direction="debit",
                     original_id=original, original_type="cash.withdrawn", original_amount=cny("500.00"),
                     original_occurred_at=withdrawn["occurred_at"], original_account_no=account)  # fmt: skip
    await bank.tell(event("account.opened", ago(90), account_no=account, customer_no=number))
    for one in (reversal, withdrawn) if late else (withdrawn, reversal):
        await bank.tell(one)
    measures = (await bank.customer(customer_no=number))["measures"]
    assert (measures["outflow_7d"], measures["cash_out_30d"]) == (cny("0.00"), cny("0.00"))


async def test_when_a_manager_leaves_every_customer_has_the_successor_and_the_way_there(bank: Bank) -> None:
    leaves, stays, stands_in = bank.no("manager1"), bank.no("manager2"), bank.no("manager3")
    numbers = [bank.no(f"cared{one}") for one in range(3)]
    await bank.tell(*(event("manager.assigned", ago(100), customer_no=one, manager_id=leaves) for one in numbers))
    await bank.tell(
        _managed("manager.absent", 5, leaves, delegate_id=stands_in, until=ago(-3), **{"from": ago(4)}),
    )
    owner = (await bank.until_owned(numbers[0], acting=stands_in))["owner"]
    assert owner["manager_id"] == leaves
    await bank.tell(_managed("manager.left", 1, leaves, successor_id=stays))
    for one in numbers:
        owner = (await bank.until_owned(one, acting=stays))["owner"]
        assert (owner["manager_id"], owner["former"], owner["reason"]) == (stays, leaves, "handed_over")
        assert [step["to"] for step in owner["handovers"]] == [leaves, stays]


def _managed(what: str, days: float, manager: str, **told: Any) -> Json:
    return event(what, ago(days), **told) | {"identifiers": {"manager_id": manager}}


async def test_a_live_screen_follows_the_customer_and_goes_on_after_a_broken_line(bank: Bank) -> None:
    number = bank.no("watched")
    await bank.tell(event("customer.registered", ago(9), customer_no=number))
    view = await bank.customer(customer_no=number)
    place = f"/v1/customers/{view['customer_id']}/live"
    async with bank.live(place) as views:
        first = await anext(views)
        await bank.tell(event("page.viewed", ago(1), "mobile", customer_no=number, page="/cards"))
        then = await anext(views)
    assert (then["version"] > first["version"], then["channels"]["mobile"]["count"]) == (True, 1)
    await bank.tell(event("page.viewed", ago(0.5), "mobile", customer_no=number, page="/loans"))
    await bank.customer(customer_no=number)
    async with bank.live(place, last_event_id=str(then["version"])) as views:
        missed = await anext(views)
    assert (missed["version"] > then["version"], missed["channels"]["mobile"]["count"]) == (True, 2)


async def test_a_timeline_is_read_page_by_page_and_by_type_channel_and_time(bank: Bank) -> None:
    number = bank.no("busy")
    await bank.tell(
        *(event("page.viewed", ago(days), "mobile", customer_no=number, page=f"/{days}") for days in range(1, 10)),
        event("counter.visited", ago(4.5), "counter", customer_no=number, reason="limit"),
    )
    view = await bank.customer(customer_no=number)
    events: list[Json] = []
    following = None
    while following is not None or not events:
        page = await bank.about(view, "timeline", limit=4, **({"cursor": following} if following else {}))
        events += page["events"]
        following = page["next"]
    assert len({one["id"] for one in events}) == 10
    assert [one["occurred_at"] for one in events] == sorted((one["occurred_at"] for one in events), reverse=True)
    for query, count in (
        ({"type": "counter.visited"}, 1), ({"channel": "mobile"}, 9), ({"channel": "mobile,counter"}, 10),
        ({"since": ago(4.7)}, 5), ({"since": ago(4.7), "until": ago(4.2)}, 1),
    ):  # fmt: skip
        assert len((await bank.about(view, "timeline", **query))["events"]) == count


async def test_a_view_that_has_not_changed_is_not_sent_twice(bank: Bank) -> None:
    number, account = bank.no("still"), bank.no("quiet")
    await bank.tell(
        event("account.opened", ago(9), account_no=account, customer_no=number),
        event("cash.deposited", ago(2), "atm", account_no=account, amount=cny("10.00"), balance_after=cny("10.00")),
    )
    view = await bank.refreshed(number)
    place = f"/v1/customers/{view['customer_id']}"
    first = await bank.http.get(place, headers=bank.as_("agent"))
    known = bank.as_("agent") | {"If-None-Match": first.headers["etag"]}
    again = await bank.http.get(place, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    await bank.tell(
        event("cash.deposited", ago(1), "atm", account_no=account, amount=cny("5.00"), balance_after=cny("15.00"))
    )
    changed = await bank.http.get(place, headers=known | bank.having_told())
    assert (changed.status_code, balances(changed.json())) == (200, {account: "15.00"})
    assert changed.headers["etag"] != first.headers["etag"]
