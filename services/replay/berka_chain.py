"""The order inside an account's day, which the PKDD'99 files do not give: it follows from the chain of balances.

Balances are kept to ten hellers in the files while interest was booked to the heller, so a link of the chain may miss
by that much. Pure: typed rows in, ordered rows out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from services.replay.berka_files import Transaction

ROUNDING = 10
"""Hellers by which a balance before may miss the balance after the transaction before it."""


class Ordered(NamedTuple):
    """A transaction with its place, from 1, in its account's life."""

    transaction: Transaction
    sequence: int


def in_chain_order(transactions: Iterable[Transaction]) -> Iterator[Ordered]:
    """Days ascending; within a day by account as the file first names them, each account's day in chain order."""
    balances: dict[str, int] = {}
    lengths: dict[str, int] = defaultdict(int)
    for _, day in groupby(sorted(transactions, key=lambda one: one.day), key=lambda one: one.day):
        by_account: dict[str, list[Transaction]] = defaultdict(list)
        for transaction in day:
            by_account[transaction.account_id].append(transaction)
        for account_id, several in by_account.items():
            walk = chain(several, balances.get(account_id, 0))
            for transaction in walk or several:  # file order, where no chain is found
                lengths[account_id] += 1
                yield Ordered(transaction, lengths[account_id])
            balances[account_id] = (walk or several)[-1].balance


def chain(several: Sequence[Transaction], balance: int) -> list[Transaction] | None:
    """All of them as one walk, from `balance` if that is possible, else from where one can start; None if no walk."""
    for start in (balance, *(one.balance_before for one in several)):
        if walk := _walk(list(several), start):
            return walk
    return None


def _walk(remaining: list[Transaction], at: int) -> list[Transaction]:
    """Depth first, the closest link first, ties in file order; empty when there is no walk through all of them."""
    seen: set[tuple[int, int]] = set()
    for one in sorted(remaining, key=lambda one: abs(one.balance_before - at)):
        if abs(one.balance_before - at) > ROUNDING:
            break
        if (one.balance_before, one.balance) in seen:
            continue
        seen.add((one.balance_before, one.balance))
        rest = [other for other in remaining if other is not one]
        if not rest:
            return [one]
        if tail := _walk(rest, one.balance):
            return [one, *tail]
    return []
