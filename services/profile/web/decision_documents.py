"""The shapes of decisions about customers, asked for and taken; see `documents`."""

import msgspec

from services.profile.web.documents import IdentifiersGiven


class Merge(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    customer_ids: tuple[str, str]
    reason: str


class Split(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Undoes the merge (or other decision) `decision_id`; or detaches a subject of `customer_id`, given as in the
    identity or by its identifier; or, with neither, undoes that customer's only merge."""

    reason: str
    customer_id: str | None = None
    decision_id: str | None = None
    subject: str | None = None
    identifiers: IdentifiersGiven | None = None


class Erase(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    customer_id: str
    reason: str


class KeepApart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    reason: str


class DecisionMade(msgspec.Struct, kw_only=True):
    """`customer_ids`: the customers that the decision's subjects are now."""

    decision_id: str
    kind: str
    actor: str
    reason: str
    at: str
    undoes: str | None
    customer_ids: list[str]


class Review(msgspec.Struct, kw_only=True):
    """Two customers who may be one. `shared`: the subject key that both have."""

    review_id: str
    at: str
    reason: str
    shared: str
    customer_ids: list[str]


class Reviews(msgspec.Struct, kw_only=True):
    reviews: list[Review]
