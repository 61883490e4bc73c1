"""The bank's own books: turns plans into events, with a running balance and sequence for every account.

The only thing of the simulator that remembers; its state is two integers an account.
"""

from array import array
from collections.abc import Iterator
from typing import Any

from services.simulator.bank import CURRENT, Bank, account_no, day_at, money, rfc3339
from services.simulator.plan import Planned

Event = dict[str, Any]

OBLIGATIONS = frozenset({"standing_order.executed", "direct_debit.collected"})
"""What is attempted all the same when the money is not there, and returned."""


class Books:
    """Balances in fen. Accounts stand at twice the customer number, plus which."""

    def __init__(self, bank: Bank) -> None:
        self._balances = array("q", bytes(16 * bank.size))
        self._sequences = array("q", bytes(16 * bank.size))

    def balance(self, number: int, which: int = CURRENT) -> int:
        return self._balances[2 * number + which]

    def post(self, planned: Planned) -> Iterator[Event]:
        """The events that come of a plan: none where money was missing and nothing was owed."""
        if planned.account is None:
            yield self._event(planned)
            return
        balance = self.balance(planned.number, planned.account)
        amount = planned.amount or int(balance * planned.share)
        if not planned.is_credit and not 0 < amount <= balance:
            if planned.type in OBLIGATIONS:
                yield self._returned(planned, amount)
            return
        yield self._movement(planned, amount)
        if planned.then is not None:
            yield self._movement(planned.then, amount)

    def state(self) -> tuple[bytes, bytes]:
        return self._balances.tobytes(), self._sequences.tobytes()

    def restore(self, state: tuple[bytes, bytes]) -> None:
        """Raises ValueError when the state is of a bank of another size."""
        if len(state[0]) != len(self._balances) * 8 or len(state[1]) != len(self._sequences) * 8:
            raise ValueError("the saved state is of a bank of another size")
        self._balances, self._sequences = array("q", state[0]), array("q", state[1])

    def _movement(self, planned: Planned, amount: int) -> Event:
        place = 2 * planned.number + (planned.account or CURRENT)
        self._balances[place] += amount if planned.is_credit else -amount
        self._sequences[place] += 1
        event = self._event(planned)
        event["sequence"] = self._sequences[place]
        event["amount"] = money(amount)
        event["direction"] = "credit" if planned.is_credit else "debit"
        event["balance_after"] = money(self._balances[place])
        return event

    def _returned(self, planned: Planned, amount: int) -> Event:
        identifiers = {"account_no": account_no(planned.number, planned.account or CURRENT)}
        fields = {"identifiers": identifiers, "attributes": {"reason": planned.type.partition(".")[0]}}
        event = self._event(planned._replace(type="payment.insufficient_funds", fields=fields))
        event["amount"] = money(amount)
        return event

    def _event(self, planned: Planned) -> Event:
        return {
            "id": f"sim-{planned.number}d{day_at(planned.at):%Y%m%d}n{planned.place}",
            "type": planned.type,
            "occurred_at": rfc3339(planned.at),
            "channel": planned.channel,
            **planned.fields,
        }
