"""The planted stories: each leaves its marks in the events between its begin and its loss, and nobody else does."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from services.replay.berka_files import minor_of
from services.simulator.bank import Bank, account_no, customer_no, day_at, is_company
from services.simulator.books import Event
from services.simulator.customers import customer
from services.simulator.holdings import has_savings
from services.simulator.moods import mood
from services.simulator.names import AIRLINE, BROKER, COMPETITORS
from services.simulator.stories import KINDS, Kind, Story, stories, story_of
from tests.simulator.conftest import ANCHOR

ByType = dict[str, list[Event]]


class Traces:
    """The events of one story's customer, by type, with the day of each."""

    def __init__(self, story: Story, bank: Bank, by_type: ByType) -> None:
        self.story, self._by_type = story, by_type
        self.customer = customer(bank, story.number)

    def days(self, event_type: str, /, **attributes: object) -> list[int]:
        """Days since the begin on which this happened."""
        return [(_day(event) - self.story.begins).days for event in self.events(event_type, **attributes)]

    def events(self, event_type: str, /, **attributes: object) -> list[Event]:
        number = self.story.number
        mine = {customer_no(number), account_no(number), account_no(number, 1), f"card-{number:08d}", f"TD-{number}"}
        mine |= {f"user{number:08d}", f"CS{number}d{self.story.begins:%Y%m%d}", f"SO-{number}-1", f"SO-{number}-2"}
        mine |= {f"DD-{number}-1", f"DD-{number}-2", f"M-L{number // 150}"}
        return [
            event
            for event in self._by_type.get(event_type, [])
            if mine & set(event["identifiers"].values())
            and attributes.items() <= {**event.get("counterparty", {}), **event.get("attributes", {})}.items()
        ]


def _day(event: Event) -> date:
    return date.fromisoformat(event["occurred_at"][:10])


def share(sent: Event) -> float:
    """Of what was on the account before."""
    amount, left = (minor_of(sent[name]["value"]) for name in ("amount", "balance_after"))
    return amount / (amount + left)


def drifting(traces: Traces) -> None:
    bank = COMPETITORS[traces.story.number % 2]
    current = account_no(traces.story.number)
    weekly = [
        sent
        for sent in traces.events("transfer.sent", bank=bank, kind="own")
        if sent["identifiers"]["account_no"] == current
    ]
    assert [(_day(sent) - traces.story.begins).days for sent in weekly] == [0, 7, 14, 21, 28, 35, 42, 55]
    shares = [share(sent) for sent in weekly]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] == 1
    assert cancelled(traces) == {21}
    left(traces, 55)


def cancelled(traces: Traces) -> set[int]:
    orders, debits = (traces.events(kind) for kind in ("standing_order.cancelled", "direct_debit.mandate_cancelled"))
    assert len(orders) + len(debits) >= 3
    assert {event["identifiers"]["mandate_id"][:2] for event in orders} <= {"SO"}
    assert {event["identifiers"]["mandate_id"][:2] for event in debits} == {"DD"}
    return {(_day(event) - traces.story.begins).days for event in (*orders, *debits)}


def looked_at(traces: Traces, page: str) -> list[int]:
    """The calculator comes after the page, and the page after the sign-in."""
    days = traces.days("calculator.used", calculator=page)
    assert traces.days("page.viewed", page=f"/wealth/{page}") == days
    kinds = ("login.succeeded", "page.viewed", "calculator.used")
    for day in days:
        at = [
            [event["occurred_at"] for event in traces.events(kind) if (_day(event) - traces.story.begins).days == day]
            for kind in kinds
        ]
        assert any(login < at[1][0] for login in at[0])
        assert at[1][0] < at[2][0]
    return days


def left(traces: Traces, day: int) -> None:
    """Every account is closed, and nothing is left on it."""
    number = traces.story.number
    held = {account_no(number), *([account_no(number, 1)] if has_savings(traces.customer) else [])}
    assert {event["identifiers"]["account_no"] for event in traces.events("account.closed")} == held
    assert set(traces.days("account.closed")) == {day}
    for account in held:
        sent = [one for one in traces.events("transfer.sent") if one["identifiers"]["account_no"] == account]
        assert minor_of(sent[-1]["balance_after"]["value"]) == 0


def redirected(traces: Traces) -> None:
    paid = traces.days("salary.credited")
    assert len([day for day in paid if day < 0]) >= 2
    assert not [day for day in paid if day >= 0]
    assert set(traces.days("transfer.sent", bank=COMPETITORS[traces.story.number % 2])) == {25, 50, 75}
    assert cancelled(traces) == {30}
    left(traces, 75)


def complaint(traces: Traces) -> None:
    assert traces.days("case.opened", case_kind="complaint") == [0]
    assert [day for day in traces.days("call.ended", reason="fee", outcome="unsolved") if 0 <= day <= 7] == [0, 3, 6]
    (opened,) = traces.events("case.opened", case_kind="complaint")
    assert date.fromisoformat(opened["attributes"]["due_at"][:10]) - traces.story.begins == timedelta(days=9)
    assert traces.days("case.overdue") == [10]
    assert traces.days("feedback.given", score=2) == [12]
    assert traces.days("case.resolved") == []
    assert traces.days("product.closed", reason="complaint") == traces.days("card.blocked") == [20]
    assert set(traces.days("transfer.sent", bank=COMPETITORS[traces.story.number % 2])) == {20, 30}
    left(traces, 30)


def rising(traces: Traces) -> None:
    savings = account_no(traces.story.number, 1)
    balances = [
        (_day(event), minor_of(event["balance_after"]["value"]))
        for event in (*traces.events("transfer.received"), *traces.events("transaction.posted"))
        if event["identifiers"].get("account_no") == savings
    ]
    before = [balance for day, balance in balances if day < traces.story.begins]
    after = [balance for day, balance in sorted(balances) if day >= traces.story.begins]
    assert 500_000_000 <= before[-1] < 600_000_000
    assert after == sorted(after)
    assert after[-1] > 600_000_000
    assert traces.days("transfer.received", kind="own", bank="OTHB") == list(range(0, 141, 14))
    assert looked_at(traces, "private_banking") == list(range(3, 141, 10))


def bonus(traces: Traces) -> None:
    usual = [minor_of(e["amount"]["value"]) for e in traces.events("salary.credited") if _day(e) < traces.story.begins]
    (paid,) = traces.events("salary.credited", description="年终奖")
    assert minor_of(paid["amount"]["value"]) > 3 * max(usual)
    assert _day(paid) == traces.story.begins
    assert looked_at(traces, "funds") == [2, 4, 9]
    assert traces.days("transfer.sent", bank=BROKER) == [21]


def maturing(traces: Traces) -> None:
    assert traces.days("term_deposit.maturing") == [0, 23, 30]
    assert traces.days("term_deposit.instructed") == []
    matured, (paid_out,) = traces.events("term_deposit.maturing"), traces.events("transaction.posted", purpose="wealth")
    assert (_day(paid_out), paid_out["amount"]) == (_day(matured[-1]), matured[-1]["amount"])
    assert traces.days("transfer.sent", bank=COMPETITORS[traces.story.number % 2])[0] == 33


def abroad(traces: Traces) -> None:
    assert traces.days("transaction.declined", foreign=True) == [0, 0, 1, 1]
    current = account_no(traces.story.number)
    assert traces.days("transfer.sent", kind="own", account_no=current) == [-6], "what the journey will cost"
    assert traces.days("card.paid", merchant_category=AIRLINE.category) == [-5]
    assert traces.days("card.paid", foreign=True) == [-1]
    declines = traces.events("transaction.declined", foreign=True)
    calls = [
        call
        for call in traces.events("call.offered", reason="card_declined")
        if 0 <= (_day(call) - traces.story.begins).days <= 1
    ]
    for call, (_, second) in zip(calls, (declines[:2], declines[2:]), strict=True):
        assert call["occurred_at"] > second["occurred_at"]
        assert _day(call) == _day(second)
    assert traces.days("product.closed", reason="card_declined") == traces.days("card.blocked") == [30]


def manager_leaving(traces: Traces) -> None:
    assert traces.days("manager.left") == [0]
    (left,) = traces.events("manager.left")
    is_named = traces.story.number // 150 % 2 == 1
    assert left["attributes"].get("successor_id", "").startswith(f"M-{left['attributes']['branch']}-") is is_named
    assert traces.events("manager.assigned", manager_id=f"M-L{traces.story.number // 150}")
    assert traces.days("transfer.sent", bank=COMPETITORS[traces.story.number % 2]) == [15, 25, 45]


MARKS: dict[Kind, Callable[[Traces], None]] = {
    "drifting_to_competitor": drifting,
    "salary_redirected": redirected,
    "complaint_then_closed": complaint,
    "near_threshold_rising": rising,
    "bonus_arriving": bonus,
    "term_deposit_maturing": maturing,
    "card_declined_abroad": abroad,
    "manager_leaving": manager_leaving,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_story_leaves_its_marks_in_the_events(kind: Kind, bank: Bank, by_type: ByType) -> None:
    (story,) = [story for story in stories(bank) if story.kind == kind]
    MARKS[kind](Traces(story, bank, by_type))


@pytest.mark.parametrize(
    ("kind", "what", "after"),
    [
        ("drifting_to_competitor", "logins", 7),
        ("drifting_to_competitor", "spending", 14),
        ("salary_redirected", "logins", 20),
        ("salary_redirected", "spending", 20),
        ("complaint_then_closed", "spending", 10),
    ],
)
def test_whoever_leaves_comes_and_spends_less_from_a_day_on(kind: Kind, what: str, after: int, bank: Bank) -> None:
    (story,) = [story for story in stories(bank) if story.kind == kind]

    def usual_share(passed: int) -> float:
        return float(getattr(mood(bank, story.number, story.begins + timedelta(days=passed)), what))

    assert [usual_share(passed) for passed in (-1, after - 1)] == [1, 1]
    assert 0 < usual_share(after) < 1


def test_a_salary_stays_away_from_the_day_on_which_it_is_redirected(bank: Bank) -> None:
    (story,) = [story for story in stories(bank) if story.kind == "salary_redirected"]
    days = (story.begins - timedelta(days=1), story.begins)
    assert [mood(bank, story.number, day).has_salary for day in days] == [True, False]


def test_whoever_has_no_story_neither_leaves_nor_drifts(bank: Bank, by_type: ByType) -> None:
    told = {account_no(story.number, which) for story in stories(bank) for which in (0, 1)}
    for kind in (
        "account.closed",
        "transaction.declined",
        "standing_order.cancelled",
        "product.closed",
        "case.overdue",
    ):
        for event in by_type[kind]:
            assert event["identifiers"].get("account_no") in told or story_of_event(bank, event)
    for event in by_type["transfer.sent"]:
        if event["counterparty"].get("bank") in COMPETITORS:
            assert event["identifiers"]["account_no"] in told


def story_of_event(bank: Bank, event: Event) -> Story | None:
    identifiers = event["identifiers"]
    if "case_id" in identifiers:
        return story_of(bank, int(identifiers["case_id"][2:].partition("d")[0]))
    return story_of(bank, int(identifiers["customer_no"]) - 10_000_000)


def test_a_customer_who_left_does_nothing_any_more(bank: Bank, past: list[Event]) -> None:
    gone = {s.number: s.loss_on for s in stories(bank) if s.kind in ("drifting_to_competitor", "complaint_then_closed")}
    accounts = {account_no(number): loss_on for number, loss_on in gone.items()}
    seen = 0
    for event in past:
        loss_on = accounts.get(event["identifiers"].get("account_no", ""))
        if loss_on is not None:
            seen += 1
            assert _day(event) <= loss_on
    assert seen > 50


@pytest.mark.parametrize("size", [1, 8, 149, 300, 3000])
def test_every_150_customers_hold_one_story_of_each_kind(size: int) -> None:
    bank = Bank(11, size, ANCHOR)
    told = list(stories(bank))
    assert len({story.number for story in told}) == len(told)
    for kind in KINDS:
        assert len([story for story in told if story.kind == kind]) >= size // 150
    assert all(story.number < size and not is_company(story.number) for story in told)
    assert all(story_of(bank, story.number) == story for story in told)


def test_some_stories_can_still_be_helped_at_the_anchor_and_some_are_lost() -> None:
    told = list(stories(Bank(11, 3000, ANCHOR)))
    assert any(story.loss_on > ANCHOR >= story.signal_from for story in told)
    assert all(story.signal_from < story.signal_until < story.loss_on for story in told)
    assert [story.number for story in told] == sorted(story.number for story in told)
    assert all(story.begins < ANCHOR for story in told)
    assert max(story.loss_on for story in told) <= ANCHOR + timedelta(days=125)


def test_a_leaving_manager_looks_after_others_too() -> None:
    bank = Bank(11, 1500, ANCHOR)
    leaving = [customer(bank, number).manager_id for number in range(bank.size)]
    counted = [leaving.count(f"M-L{block}") for block in range(10)]
    assert min(counted) >= 1
    assert max(counted) > 1


def test_a_storys_instants_are_those_of_its_days_in_the_banks_zone() -> None:
    for story in stories(Bank(11, 150, ANCHOR)):
        assert day_at(story.signal_from_ms) == story.signal_from
        assert day_at(story.signal_from_ms - 1) < story.signal_from
        assert day_at(story.signal_until_ms - 1) == story.signal_until
        assert day_at(story.loss_ms) == story.loss_on
        assert story.signal_from_ms < story.signal_until_ms <= story.loss_ms
