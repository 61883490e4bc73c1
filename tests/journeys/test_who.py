"""Stories of who is who: visitors, couples, companies, former owners and mistaken doubles."""

from tests.journeys.bank import Bank, ago, balances, cny, event, kinds


async def test_an_anonymous_visitor_who_signs_in_brings_the_earlier_browsing_along(bank: Bank) -> None:
    device, login, number = bank.no("device"), bank.no("login"), bank.no("visitor")
    await bank.tell(event("page.viewed", ago(2), "mobile", device_id=device, page="/mortgage"))
    visitor = await bank.customer(device_id=device)
    assert visitor["kind"] == "anonymous"
    await bank.tell(
        event("customer.registered", ago(300), customer_no=number, name="Wang Wei"),
        event("login.succeeded", ago(1), "mobile", login=login, device_id=device, customer_no=number),
    )
    known = await bank.customer(device_id=device)
    assert (known["kind"], known["person"]["name"]["value"]) == ("person", "Wang Wei")
    assert known["channels"]["mobile"]["count"] == 2
    events = (await bank.about(known, "timeline"))["events"]
    assert [one["type"] for one in events] == ["login.succeeded", "page.viewed", "customer.registered"]
    assert (await bank.get(f"/v1/customers/{visitor['customer_id']}"))["customer_id"] == known["customer_id"]


async def test_a_branch_tablet_brings_nobody_its_past(bank: Bank) -> None:
    tablet = bank.no("tablet")
    await bank.tell(event("page.viewed", ago(3), "online", device_id=tablet, page="/loans"))
    people = [bank.no(f"guest{number}") for number in range(7)]
    await bank.tell(
        *(event("login.succeeded", ago(2), "online", device_id=tablet, login=f"{one}-login", customer_no=one)
          for one in people)
    )  # fmt: skip
    for one in people:
        view = await bank.customer(customer_no=one)
        assert view["channels"]["online"]["count"] == 1
    [above] = (await bank.about(view, "identity"))["above_limit"]
    assert (above["kind"], above["shared_by"]) == ("device_id", 7)
    assert kinds(await bank.customers(device_id=tablet)) == ["anonymous"]


async def test_a_booking_waits_in_its_account_until_somebody_knows_whose_it_is(bank: Bank) -> None:
    account, number = bank.no("account"), bank.no("late")
    booked = event("transaction.posted", ago(5), account_no=account, direction="debit", amount=cny("120.00"),
                   balance_after=cny("880.00"))  # fmt: skip
    await bank.tell(booked)
    assert (await bank.customer(account_no=account))["kind"] == "anonymous"
    await bank.tell(event("account.opened", ago(30), account_no=account, customer_no=number))
    view = await bank.customer(account_no=account)
    assert (balances(view), view["measures"]["outflow_7d"]) == ({account: "880.00"}, cny("120.00"))
    assert view["accounts"][0]["holders"] == [{"customer_no": number, "role": "owner", "until": None}]


async def test_a_joint_account_shows_in_two_views_and_counts_once_in_the_household(bank: Bank) -> None:
    account, home = bank.no("joint"), bank.no("home")
    mei, tao, aunt = bank.no("mei"), bank.no("tao"), bank.no("aunt")
    await bank.tell(
        event("account.opened", ago(90), account_no=account, customer_no=mei),
        *(event("holder.added", ago(90), account_no=account, customer_no=one) for one in (tao, aunt)),
        event("household.joined", ago(80), customer_no=mei, household_no=home),
        event("household.joined", ago(80), customer_no=tao, household_no=home),
        event("transaction.posted", ago(2), account_no=account, direction="debit", amount=cny("500.00"),
              balance_after=cny("9500.00")),
    )  # fmt: skip
    both = [await bank.customer(customer_no=number) for number in (mei, tao)]
    assert [view["accounts"][0]["role"] for view in both] == ["owner", "joint"]
    [household] = await bank.customers(household_no=home)
    for view in (*both, household):
        assert view["measures"]["outflow_7d"] == cny("500.00")
        assert view["assets"]["total"] == cny("9500.00")
    assert household["kind"] == "household"
    assert household["members"] == [{"customer_no": mei}, {"customer_no": tao}]
    assert kinds(await bank.customers(account_no=account)) == ["person"] * 3
    assert (await bank.customer(customer_no=aunt))["household"] is None


async def test_a_holder_keeps_what_happened_before_leaving_and_sees_nothing_after(bank: Bank) -> None:
    account, stays, leaves = bank.no("shared"), bank.no("stays"), bank.no("leaves")

    def booked(days: float) -> dict[str, object]:
        return event("transaction.posted", ago(days), account_no=account, direction="debit", amount=cny("10.00"))

    await bank.tell(
        event("account.opened", ago(90), account_no=account, customer_no=stays),
        event("holder.added", ago(80), account_no=account, customer_no=leaves),
        booked(60), event("holder.removed", ago(50), account_no=account, customer_no=leaves), booked(20),
    )  # fmt: skip
    gone, there = await bank.customer(customer_no=leaves), await bank.customer(customer_no=stays)
    assert (gone["measures"]["outflow_90d"], gone["measures"]["outflow_30d"]) == (cny("10.00"), cny("0.00"))
    assert (there["measures"]["outflow_90d"], there["measures"]["outflow_30d"]) == (cny("20.00"), cny("10.00"))
    await bank.tell(event("holder.added", ago(10), account_no=account, customer_no=leaves), booked(5))
    back = await bank.customer(customer_no=leaves)
    assert (back["measures"]["outflow_90d"], back["measures"]["outflow_30d"]) == (cny("20.00"), cny("10.00"))


async def test_a_phone_number_speaks_for_whoever_had_it_at_that_time(bank: Bank) -> None:
    number, tail = bank.no("mover"), bank.digits(7)
    former, present = f"+86139{tail}1", f"+86138{tail}1"

    def called(days: float, phone: str) -> dict[str, object]:
        return event(
            "call.ended", ago(days), "call_center", phone=phone, contact_id=bank.no(f"call{days}"), reason="fee"
        )

    await bank.tell(
        event("customer.registered", ago(300), customer_no=number, phone=former), called(90, former),
        event("phone.changed", ago(60), "counter", customer_no=number, phone=present, former_phone=former),
        called(30, former), called(20, present),
    )  # fmt: skip
    view = await bank.customer(phone=present)
    assert view["person"]["phone"]["value"] == present
    assert [one["contact_id"] for one in view["contacts"]] == [bank.no("call20"), bank.no("call90")]
    assert kinds(await bank.customers(phone=former)) == ["anonymous"]


async def test_a_company_stands_in_its_group_and_its_signatory_is_not_made_rich_by_it(bank: Bank) -> None:
    company, sister, clerk = bank.no("steel"), bank.no("iron"), bank.no("clerk")
    account, group = bank.no("settlement"), bank.no("group")
    await bank.tell(
        event("customer.registered", ago(900), customer_no=company, kind="company", name="Northern Steel Ltd"),
        event("account.opened", ago(900), account_no=account, customer_no=company, account_kind="company"),
        event("holder.added", ago(800), account_no=account, customer_no=clerk, role="signatory"),
        *(event("group.joined", ago(700), customer_no=one, group_no=group) for one in (company, sister)),
        event("transaction.posted", ago(1), account_no=account, direction="credit", amount=cny("7000.00"),
              balance_after=cny("2000000.00")),
    )  # fmt: skip
    view, signs = await bank.customer(customer_no=company), await bank.customer(customer_no=clerk)
    assert view["kind"] == "company"
    assert view["signatories"] == [{"account_no": account, "customer_no": clerk, "role": "signatory"}]
    assert (signs["accounts"][0]["role"], signs["assets"]["total"]) == ("signatory", cny("0.00"))
    assert signs["measures"]["inflow_7d"] == cny("0.00")
    [whole] = await bank.customers(group_no=group)
    assert (whole["kind"], whole["assets"]["total"]) == ("group", cny("2000000.00"))
    assert whole["members"] == [{"customer_no": sister}, {"customer_no": company}]


async def test_one_person_with_two_numbers_is_merged_by_a_manager_and_split_again_without_a_trace(bank: Bank) -> None:
    numbers, paper = (bank.no("double1"), bank.no("double2")), bank.no("paper")
    for number in numbers:
        await bank.tell(
            event("customer.registered", ago(300), customer_no=number, national_id=paper, name="Zhao Min"),
            event("account.opened", ago(300), account_no=f"{number}-a", customer_no=number),
            event("transaction.posted", ago(3), account_no=f"{number}-a", direction="debit", amount=cny("50.00"),
                  balance_after=cny("950.00")),
        )  # fmt: skip
    before = [await bank.refreshed(number) for number in numbers]
    ids = [view["customer_id"] for view in before]
    cases = (await bank.get("/v1/reviews", "manager"))["reviews"]
    assert [sorted(ids)] == [case["customer_ids"] for case in cases if set(ids) & set(case["customer_ids"])]
    refused = await bank.http.post(
        "/v1/customers/merge", json={"customer_ids": ids, "reason": "same papers"}, headers=bank.as_("agent")
    )
    assert refused.status_code == 403
    merged = await bank.decide("merge", customer_ids=ids, reason="same papers")
    at_once = await bank.get(f"/v1/customers/{ids[0]}")
    assert len(balances(at_once)) == 2
    assert at_once["measures"]["outflow_7d"] == cny("100.00")
    await bank.refreshed(numbers[0])
    views = [await bank.get(f"/v1/customers/{one}") for one in ids]
    assert views[0] == views[1]
    decisions = (await bank.about(views[0], "identity"))["decisions"]
    assert decisions[-1]["reason"] == "same papers"
    await bank.decide("split", customer_id=ids[0], decision_id=merged["decision_id"], reason="twins")
    after = [await bank.refreshed(number) for number in numbers]
    assert [_content(view) for view in after] == [_content(view) for view in before]
    assert all(now["version"] >= then["version"] for now, then in zip(after, before, strict=True))


def _content(view: dict[str, object]) -> dict[str, object]:
    """Without what time alone changes."""
    moving = ("version", "changed_at", "complete_up_to", "silent_sources", "value")
    return {name: value for name, value in view.items() if name not in moving}


async def test_everybody_told_of_by_one_name_is_found_by_it(bank: Bank) -> None:
    name, numbers = f"Ma {bank.no('Li')}", [bank.no("namesake1"), bank.no("namesake2")]
    await bank.tell(*(event("customer.registered", ago(10), customer_no=number, name=name) for number in numbers))
    found = await bank.customers(name=name.upper())
    assert sorted(one["value"] for view in found for one in view["identifiers"]) == numbers
    listed = await bank.command("customers", "find", "--name", name)
    assert all(view["customer_id"] in listed for view in found)
