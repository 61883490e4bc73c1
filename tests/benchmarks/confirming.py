"""An independent check of what rules said: their words, read from the raw events of the synthetic bank alone.

Written apart from facts and moments on purpose: what both get wrong in the same way would not be seen.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from statistics import mean, median
from typing import Any

from schemas.instants import DAY_MS
from services.replay.berka_files import minor_of
from services.simulator.bank import OWN_BANK, SAVINGS, ZONE, Bank, account_no, card_no, customer_no, login
from services.simulator.names import BROKER, COMPETITORS

Event = dict[str, Any]
SLACK_MS = 2 * DAY_MS
"""A rule may speak a close of day after what it speaks of."""


class History:
    """All that happened to one customer, in order of time."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self._times: list[int] = []

    def between(self, since: int, until: int, *types: str) -> list[Event]:
        if len(self._times) != len(self.events):
            self.events.sort(key=itemgetter(0))
            self._times = [at for at, _ in self.events]
        found = self.events[bisect_left(self._times, since) : bisect_right(self._times, until)]
        return [event for _, event in found if not types or event["type"] in types]

    def moved(self, since: int, until: int, direction: str) -> list[tuple[float, Event]]:
        """Money in major units, with another bank."""
        return [
            (minor_of(one["amount"]["value"]) / 100, one) for one in self.between(since, until)
            if one.get("direction") == direction and one.get("counterparty", {}).get("bank", OWN_BANK) != OWN_BANK
        ]  # fmt: skip

    def balances(self, since: int, until: int) -> list[float]:
        """Of all accounts together: as of `since`, and after every movement until then."""
        last: dict[str, float] = {}
        found: list[float] = []
        for at, one in self.events:
            if at > until:
                break
            if "balance_after" in one:
                if at >= since and not found:
                    found.append(sum(last.values()))
                last[one["identifiers"]["account_no"]] = minor_of(one["balance_after"]["value"]) / 100
                if at >= since:
                    found.append(sum(last.values()))
        return found or [sum(last.values())]


def histories(bank: Bank, events: Iterable[Event]) -> dict[int, History]:
    """By customer number; a joint account's events belong to both, a manager's to every customer in his or her care."""
    found = {number: History() for number in range(bank.size)}
    whose: dict[str, list[int]] = {}
    for number in found:
        for name in (
            customer_no(number),
            account_no(number),
            account_no(number, SAVINGS),
            card_no(number),
            login(number),
        ):
            whose[name] = [number]
    for event in events:
        named = event["identifiers"]
        told = {number for value in named.values() for number in whose.get(value, ())}
        at = int(datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000)
        if event["type"] in ("holder.added", "manager.assigned") and event["attributes"].get("role") != "signatory":
            key = named["account_no"] if "account_no" in named else event["attributes"]["manager_id"]
            whose.setdefault(key, []).extend(whose[named["customer_no"]])
        for kind in ("case_id", "contract_id", "mandate_id", "loan_no"):
            if kind in named and told:
                whose.setdefault(named[kind], sorted(told))
        for number in told:
            found[number].events.append((at, event))
    return found


Check = Callable[[History, int], bool]


def _left(history: History, at: int) -> bool:
    sent = [amount for amount, _ in history.moved(at - 32 * DAY_MS, at, "debit")]
    before = history.balances(at - 31 * DAY_MS, at)[0]
    return sum(sent) >= 0.35 * before or sum(sent[-12:]) >= 0.35 * history.balances(at - 8 * DAY_MS, at)[0]


def _large_debit(history: History, at: int) -> bool:
    return any(amount >= 20_000 for amount, _ in history.moved(at - 32 * DAY_MS, at, "debit"))


def _no_salary(history: History, at: int) -> bool:
    known = history.between(0, at, "salary.credited")
    return len(known) >= 2 and not history.between(at - 30 * DAY_MS, at, "salary.credited")


def _to_competitor(history: History, at: int) -> bool:
    sent = [one["counterparty"] for _, one in history.moved(at - 62 * DAY_MS, at, "debit")]
    late = [one["counterparty"] for _, one in history.moved(at - 32 * DAY_MS, at, "debit")]
    return (
        any(one["bank"] in (*COMPETITORS, BROKER) for one in late) or sum(one.get("kind") == "own" for one in sent) > 1
    )


def _large_credit(history: History, at: int) -> bool:
    return any(amount >= 10_000 for amount, _ in history.moved(at - 32 * DAY_MS, at, "credit"))


def _inflow(history: History, at: int) -> bool:
    came = sum(a for a, one in history.moved(at - 32 * DAY_MS, at, "credit") if one["type"] != "salary.credited")
    return came >= 50_000


def _case_open(history: History, at: int) -> bool:
    cases = {one["identifiers"]["case_id"]: one["type"] for one in history.between(at - 90 * DAY_MS, at)
             if "case_id" in one["identifiers"]}  # fmt: skip
    return any(kind != "case.resolved" for kind in cases.values())


def _repeated(history: History, at: int) -> bool:
    reasons = [
        one["attributes"].get("reason")
        for one in history.between(at - 8 * DAY_MS, at, "call.offered", "counter.visited")
    ]
    return any(reasons.count(reason) >= 3 for reason in reasons)


def _silent(history: History, at: int) -> bool:
    days = sorted({one["occurred_at"][:10] for one in history.between(at - 250 * DAY_MS, at, "login.succeeded")})
    gaps = [(date.fromisoformat(b) - date.fromisoformat(a)).days for a, b in pairwise(days)]
    recent = history.between(at - 14 * DAY_MS, at, "login.succeeded")
    if recent or not gaps:
        return False
    since = (datetime.fromtimestamp(at / 1000, UTC).date() - date.fromisoformat(days[-1])).days
    return since > 2.5 * median(gaps)


def _unused(history: History, at: int) -> bool:
    own = ("card.paid", "cash.withdrawn", "transfer.sent", "bill.paid")
    return not history.between(at - 29 * DAY_MS, at, *own)


def _deposit(history: History, at: int) -> bool:
    for one in history.between(0, at, "term_deposit.opened"):
        matures = datetime.fromisoformat(one["attributes"]["matures_on"]).replace(tzinfo=ZONE).timestamp() * 1000
        if at - 9 * DAY_MS <= matures <= at + 31 * DAY_MS:
            return not history.between(at - 31 * DAY_MS, at, "term_deposit.instructed")
    return False


def _bonus(history: History, at: int) -> bool:
    paid = [minor_of(one["amount"]["value"]) for one in history.between(0, at, "salary.credited")]
    return len(paid) > 2 and max(paid[-2:]) >= 1.5 * median(paid)


def _rent(history: History, at: int) -> bool:
    paid = [one for one in history.between(at - 190 * DAY_MS, at, "standing_order.executed")
            if one["attributes"].get("purpose") == "household_payment"]  # fmt: skip
    mortgages = [one for one in history.between(0, at, "loan.granted") if one["attributes"]["loan_kind"] == "mortgage"]
    return len(paid) >= 6 and not mortgages


def _card_rests(history: History, at: int) -> bool:
    return (
        not history.between(at - 29 * DAY_MS, at, "card.paid")
        and len(history.between(at - 91 * DAY_MS, at, "card.paid")) >= 6
    )


def _day(history: History, at: int, name: str) -> bool:
    told = [
        one["attributes"][name] for one in history.between(0, at, "customer.registered") if name in one["attributes"]
    ]
    today = datetime.fromtimestamp(at / 1000, UTC).date()
    days = {(today + timedelta(days=ahead)).strftime("%m-%d") for ahead in range(-1, 10)}
    return any(date.fromisoformat(one).strftime("%m-%d") in days for one in told)


def _happened(days: int, times: int, *types: str) -> Check:
    return lambda history, at: len(history.between(at - days * DAY_MS - SLACK_MS, at, *types)) >= times


def _travels(history: History, at: int) -> bool:
    paid = history.between(at - 16 * DAY_MS, at, "card.paid")
    abroad = [one for one in paid if one["attributes"].get("merchant_country", "CN") != "CN"]
    return len(abroad) >= 3 or any(
        one["attributes"].get("merchant_category") in ("4511", "4722", "3000") for one in paid
    )


def _unhappy(history: History, at: int) -> bool:
    scores = [one["attributes"] for one in history.between(at - 32 * DAY_MS, at, "feedback.given")]
    return any(one["score"] * 10 <= one["scale"] * 8 for one in scores)


def _hardship(history: History, at: int) -> bool:
    returned = history.between(at - 32 * DAY_MS, at, "payment.insufficient_funds")
    return len(returned) >= 2 or bool(history.between(at - 92 * DAY_MS, at, "loan.instalment_missed"))


def _idle(history: History, at: int) -> bool:
    return min(history.balances(at - 58 * DAY_MS, at)) >= 20_000


def _below_usual(history: History, at: int) -> bool:
    """Looked at every third day: movements are many while money goes, and few while it lies."""
    days = range(0, 366, 3)
    held = [history.balances(at - day * DAY_MS, at - day * DAY_MS)[-1] for day in days]
    return mean(held[:11]) < 0.8 * mean(held)


_SIGNS: tuple[Check, ...] = (
    _left, _below_usual, _no_salary, _to_competitor, _unused, _silent, _case_open, _repeated,
    _happened(30, 2, "standing_order.cancelled", "direct_debit.mandate_cancelled"),
    _happened(90, 1, "account.closed", "product.closed"), _happened(7, 2, "transaction.declined"),
)  # fmt: skip


def _many_signs(history: History, at: int) -> bool:
    return sum(sign(history, at) for sign in _SIGNS) >= 3


CHECKS: Mapping[str, Check] = {
    "R1": _large_debit,
    "R2": _left,
    "R3": _below_usual,
    "R4": _no_salary,
    "R6": _happened(30, 2, "standing_order.cancelled", "direct_debit.mandate_cancelled"),
    "R7": _to_competitor,
    "R10": _happened(90, 1, "account.closed", "product.closed"),
    "R11": _case_open,
    "R12": _repeated,
    "R14": _happened(1, 1, "transaction.declined"),
    "R16": _silent,
    "R17": _unused,
    "R18": _deposit,
    "R23": _many_signs,
    "R25": _happened(30, 1, "manager.left", "manager.assigned"),
    "R28": _unhappy,
    "U1": _large_credit,
    "U2": _inflow,
    "U3": _idle,
    "U4": _bonus,
    "U9": _rent,
    "U13": _travels,
    "U19": _card_rests,
    "U21": lambda history, at: _day(history, at, "birth_date"),
    "U21B": lambda history, at: _day(history, at, "registered_on"),
    "G2": _hardship,
}
