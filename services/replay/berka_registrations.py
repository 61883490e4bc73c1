"""What the bank registered: clients, accounts and holders, cards, standing orders, loans.

Clients have no date and are known from their first account; standing orders stand from the account's opening.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from services.replay.berka_event import PURPOSES, REGISTERED_AT, Event, crowns, event
from services.replay.berka_files import (
    Account,
    Card,
    Client,
    Disposition,
    Loan,
    Order,
    read_accounts,
    read_cards,
    read_clients,
    read_dispositions,
    read_loans,
    read_orders,
)

STATEMENTS = {"POPLATEK MESICNE": "monthly", "POPLATEK TYDNE": "weekly", "POPLATEK PO OBRATU": "per_transaction"}
FILES_CLOSED = date(1998, 12, 31)
"""The day on which `loan.status` was taken."""


def registrations(directory: Path) -> Iterator[Event]:
    accounts = {account.account_id: account for account in read_accounts(directory)}
    dispositions = list(read_dispositions(directory))
    since: dict[str, date] = {}
    for one in dispositions:
        opened = accounts[one.account_id].opened
        since[one.client_id] = min(since.get(one.client_id, opened), opened)
    for client in read_clients(directory):
        if client.client_id in since:
            yield _client(client, since[client.client_id])
    # owners first: an account must be open before somebody else may operate it
    for one in sorted(dispositions, key=lambda one: one.kind != "OWNER"):
        yield _holding(one, accounts[one.account_id])
    holders = {one.disp_id: one for one in dispositions}
    for card in read_cards(directory):
        yield _card(card, holders[card.disp_id])
    for order in read_orders(directory):
        yield _standing_order(order, accounts[order.account_id].opened)
    owners = {one.account_id: one.client_id for one in dispositions if one.kind == "OWNER"}
    for loan in read_loans(directory):
        yield from _loan(loan, owners[loan.account_id])


def _client(client: Client, since: date) -> Event:
    return event(
        "client", client.client_id, "customer.registered", since, REGISTERED_AT, "counter",
        identifiers={"customer_no": client.client_id},
        attributes={
            "kind": "person",
            "birth_date": client.birth_date.isoformat(),
            "gender": client.gender,
            "district": client.district,
        },
    )  # fmt: skip


def _holding(one: Disposition, account: Account) -> Event:
    identifiers = {"customer_no": one.client_id, "account_no": one.account_id}
    is_owner = one.kind == "OWNER"
    account_facts = {
        "currency": "CZK",
        "district": account.district,
        "statement_frequency": STATEMENTS.get(account.frequency, account.frequency),
    }
    return event(
        "disp", one.disp_id, "account.opened" if is_owner else "holder.added", account.opened, REGISTERED_AT, "counter",
        identifiers=identifiers, attributes={"role": "owner", **account_facts} if is_owner else {"role": "attorney"},
    )  # fmt: skip


def _card(card: Card, holder: Disposition) -> Event:
    return event(
        "card", card.card_id, "card.issued", card.issued, REGISTERED_AT, "counter",
        identifiers={"card_no": card.card_id, "customer_no": holder.client_id, "account_no": holder.account_id},
        attributes={"card_kind": card.kind},
    )  # fmt: skip


def _standing_order(order: Order, since: date) -> Event:
    return event(
        "order", order.order_id, "standing_order.set_up", since, REGISTERED_AT, "counter",
        identifiers={"mandate_id": order.order_id, "account_no": order.account_id},
        amount=crowns(order.amount), counterparty={"bank": order.bank, "account_no": order.account},
        attributes={"frequency": "monthly", "purpose": PURPOSES.get(order.symbol, "other")},
    )  # fmt: skip


def _loan(loan: Loan, owner: str) -> Iterator[Event]:
    """Granted, and what its status tells of its end: A repaid, B finished unpaid, D in debt when the files closed."""
    identifiers = {"loan_no": loan.loan_id, "account_no": loan.account_id, "customer_no": owner}
    ends = _months_later(loan.granted, loan.months)
    yield event(
        "loan", loan.loan_id, "loan.granted", loan.granted, REGISTERED_AT, "counter",
        identifiers=identifiers, amount=crowns(loan.amount),
        attributes={"term_months": loan.months, "instalment": crowns(loan.instalment), "ends_on": ends.isoformat()},
    )  # fmt: skip
    if loan.status == "A":
        yield event(
            "loan-end", loan.loan_id, "loan.repaid", min(ends, FILES_CLOSED), REGISTERED_AT, "counter",
            identifiers=identifiers, attributes={"status": loan.status},
        )  # fmt: skip
    elif loan.status in "BD":
        yield event(
            "loan-arrears", loan.loan_id, "loan.instalment_missed", min(ends, FILES_CLOSED), REGISTERED_AT, "counter",
            identifiers=identifiers, amount=crowns(loan.instalment), attributes={"status": loan.status},
        )  # fmt: skip


def _months_later(day: date, months: int) -> date:
    """The same day of the month; a day that the month lacks becomes its 28th."""
    years, month = divmod(day.month - 1 + months, 12)
    try:
        return date(day.year + years, month + 1, day.day)
    except ValueError:
        return date(day.year + years, month + 1, 28)
