"""Checks a reversal as far as it can be checked alone. A state takes the original out as the reversal describes it,
whether or not the original has come: a mistake that can be seen must not get that far."""

from collections.abc import Mapping
from typing import Any

from schemas.events import REVERSED, ChannelEvent, Money
from services.expected import instead_of
from services.failures import Rejected
from services.ingest.domain.rules import Plan, Rules

_TYPE, _ACCOUNT, _AMOUNT = "original_type", "original_account_no", "original_amount"


def check_reversal(event: ChannelEvent, attributes: Mapping[str, Any], rules: Rules) -> None:
    """Raises `Rejected` if it names a type that moves no money, the direction of the correcting booking, an account
    other than its own, or an original smaller than what it cancels."""
    _check_amount(event.amount, attributes.get(_AMOUNT))
    account = "".join(str(attributes.get(_ACCOUNT, "")).split())
    if account and event.identifiers.get("account_no", account) != account:
        message = "not the account_no of the identifiers: a reversal is counted on the account of its original"
        raise Rejected("invalid_value", message, f"attributes.{_ACCOUNT}")
    if _TYPE not in attributes:
        return
    original = rules.plans.get(attributes[_TYPE])
    if original is None and rules.accept_unknown_types:
        return
    if original is None or not original.reversible or original.name == REVERSED:
        message = f"a type that moves money is expected: {instead_of(attributes[_TYPE], _reversible(rules.plans))}"
        raise Rejected("invalid_value", message, f"attributes.{_TYPE}")
    if original.direction not in ("required", None, event.direction):
        message = f"{original.direction} is expected: a reversal has the direction of its original, a {original.name}"
        raise Rejected("invalid_value", message, "direction")


def _check_amount(amount: Money | None, original: Mapping[str, Any] | None) -> None:
    if amount is None or original is None:
        return
    if original["currency"] != amount.currency:
        message = f"not in the currency of the amount, {amount.currency}: what is cancelled is told as it was booked"
        raise Rejected("invalid_value", message, f"attributes.{_AMOUNT}.currency")
    if original["minor"] < amount.minor:
        raise Rejected("invalid_value", "less than the amount that is cancelled of it", f"attributes.{_AMOUNT}.value")


def _reversible(plans: Mapping[str, Plan]) -> list[str]:
    return [name for name, plan in plans.items() if plan.reversible and name != REVERSED]
