"""The kinds of moments of a profile change: how long each stays in it, and its fields, on which rules build. A number
that is unknown is left out of a moment; a flag or word that was not told is false or empty."""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.changes import FactType

Fields = Mapping[str, FactType]


class MomentDeclared(NamedTuple):
    window_days: int
    fields: Fields


_EVENT: Fields = {"type": "string", "channel": "string", "subject": "string"}
_MONEY: Fields = {
    **_EVENT, "flow": "string", "amount": "number", "amount_home": "number", "currency": "string",
    "percent_of_balance": "number", "percent_of_usual_month": "number", "bank": "string", "party_kind": "string",
    "own_account": "boolean", "competitor": "boolean", "lender": "boolean", "external": "boolean",
    "party_class": "string",
}  # fmt: skip
_PRODUCT: Fields = {"product": "string", "product_family": "string"}
_CHOICE: Fields = {"from": "string", "to": "string", "fell": "boolean"}
MOMENTS: Mapping[str, MomentDeclared] = {
    "large_debit": MomentDeclared(30, _MONEY),
    "large_credit": MomentDeclared(30, _MONEY),
    "income": MomentDeclared(45, {**_MONEY, "percent_of_usual_salary": "number"}),
    "declined": MomentDeclared(7, {**_MONEY, "reason": "string"}),
    "charged_fee": MomentDeclared(30, {**_MONEY, "fee_kind": "string"}),
    "feedback": MomentDeclared(30, {**_EVENT, "score": "number", "scale": "number", "score_percent": "number"}),
    "life_event": MomentDeclared(90, {**_EVENT, "kind": "string"}),
    "closed": MomentDeclared(90, {**_EVENT, **_PRODUCT, "reason": "string", "early": "boolean"}),
    "interest_shown": MomentDeclared(7, {**_EVENT, **_PRODUCT}),
    "moved": MomentDeclared(60, {**_EVENT, "outside_footprint": "boolean"}),
    "renamed": MomentDeclared(60, {**_EVENT, "reason": "string"}),
    "asked_online": MomentDeclared(30, {**_EVENT, **_PRODUCT, "page": "string", "reason": "string"}),
    "failed_step": MomentDeclared(2, {**_EVENT, **_PRODUCT, "step": "string", "reason": "string"}),
    "card_statement": MomentDeclared(45, {**_MONEY, "paid_in_full": "boolean"}),
    "owner_changed": MomentDeclared(30, {"from": "string", "to": "string"}),
    "tier_changed": MomentDeclared(30, _CHOICE),
    "band_changed": MomentDeclared(30, _CHOICE),
}
OTHER_WINDOW_DAYS = 30
"""Of a kind that a bank has declared itself."""


def window_days(kind: str) -> int:
    declared = MOMENTS.get(kind)
    return OTHER_WINDOW_DAYS if declared is None else declared.window_days
