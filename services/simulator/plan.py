"""What one customer means to do on one day, before anybody has looked whether the money is there.

A plan follows from the seed, the customer and the day alone; `books` turns it into events.
"""

from datetime import date
from random import Random
from typing import Any, NamedTuple, Self

from schemas.instants import MINUTE_MS
from services.simulator.bank import CURRENT, Bank, account_no, card_no, customer_no, device_id, login, start_of
from services.simulator.chance import chance
from services.simulator.customers import Customer


class Planned(NamedTuple):
    """One event to be. `at` is ms UTC; `place` tells the events of one customer's day apart.

    Money moves on `account` of the customer: `amount` fen, or `share` of the balance at that moment. `then` happens
    with the same amount if this does: the other leg of a transfer between own accounts.
    """

    at: int
    number: int
    place: int
    type: str
    channel: str
    fields: dict[str, Any]
    account: int | None = None
    amount: int = 0
    share: float = 0.0
    is_credit: bool = False
    then: "Planned | None" = None


class DayPlan:
    """Collects one customer's day. Hours are of the bank's day and may have fractions; places begin after `used`."""

    def __init__(self, bank: Bank, customer: Customer, day: date, purpose: str = "day", used: int = 0) -> None:
        self.bank, self.customer, self.day = bank, customer, day
        self.random: Random = chance(bank.seed, purpose, customer.number, day.toordinal())
        self.planned: list[Planned] = []
        self._midnight = start_of(day)
        self._count = used

    @property
    def is_workday(self) -> bool:
        return self.day.weekday() < 5

    def at(self, first_hour: float, last_hour: float) -> int:
        return self._midnight + int(self.random.uniform(first_hour, last_hour) * 60 * MINUTE_MS)

    def event(self, at: int, kind: str, channel: str, identifiers: dict[str, str], **fields: Any) -> Self:
        self.planned.append(self._planned(at, kind, channel, {"identifiers": identifiers, **fields}))
        return self

    def party(self, at: int, kind: str, channel: str, **attributes: Any) -> Self:
        """An event about the customer as a person or company."""
        return self.event(at, kind, channel, {"customer_no": customer_no(self.customer.number)}, attributes=attributes)

    def session(self, at: int, kind: str, channel: str, **attributes: Any) -> Self:
        number = self.customer.number
        identifiers = {"login": login(number), "device_id": device_id(number)}
        if kind == "login.succeeded":
            identifiers["customer_no"] = customer_no(number)
        return self.event(at, kind, channel, identifiers, attributes=attributes)

    def pay(self, at: int, kind: str, channel: str, amount: int, **fields: Any) -> Self:
        self.planned.append(self.movement(at, kind, channel, amount, **fields))
        return self

    def receive(self, at: int, kind: str, channel: str, amount: int, **fields: Any) -> Self:
        self.planned.append(self.movement(at, kind, channel, amount, is_credit=True, **fields))
        return self

    def movement(
        self,
        at: int,
        kind: str,
        channel: str,
        amount: int,
        *,
        is_credit: bool = False,
        account: int = CURRENT,
        share: float = 0.0,
        by_card: bool = False,
        then: Planned | None = None,
        identifiers: dict[str, str] | None = None,
        **fields: Any,
    ) -> Planned:
        named = {"account_no": account_no(self.customer.number, account), **(identifiers or {})}
        if by_card:
            named["card_no"] = card_no(self.customer.number)
        planned = self._planned(at, kind, channel, {"identifiers": named, **fields})
        return planned._replace(account=account, amount=amount, share=share, is_credit=is_credit, then=then)

    def _planned(self, at: int, kind: str, channel: str, fields: dict[str, Any]) -> Planned:
        self._count += 1
        return Planned(at, self.customer.number, self._count, kind, channel, fields)
