"""What the topic `alerts` carries: one customer situation for one owner, whole at every step of its life."""

import msgspec

from schemas.changes import Fact


class Text(msgspec.Struct, frozen=True):
    en: str = ""
    zh: str = ""


NO_TEXT = Text()


class RuleReference(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    version: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What made a rule hold: an event (or none, for an absence) and the values seen then. `ended_at`: when it ceased to
    hold, 0 while it does. Times in ms UTC."""

    rule_id: str
    occurred_at: int
    event_id: str = ""
    text: Text = NO_TEXT
    values: dict[str, Fact] = {}
    ended_at: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an alert's life. `actor` is a user's id or `system`; `to` whom it was escalated. Time in ms UTC."""

    at: int
    actor: str
    action: str
    state: str
    note: str = ""
    to: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`product` and `amount_minor` of what was sold; `reason` of what was not relevant."""

    result: str
    reason: str = ""
    product: str = ""
    amount_minor: int = 0
    currency: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is retention, upsell or guard. Times are ms UTC; `due_at` is 0 without a time to answer. `waiting`: why a
    new alert is not with its owner yet.

    `revision` is later with each change, and never restarts: a consumer that has seen a newer one skips the older.
    """

    alert_id: str
    revision: int
    customer_id: str
    kind: str
    situation: str
    severity: int
    title: Text
    reason: Text
    state: str
    opened_at: int
    owner: str = ""
    due_at: int = 0
    grade: str = ""
    claimed_by: str = ""
    waiting: str = ""
    outcome: Outcome | None = None
    suggested: Text = NO_TEXT
    rules: list[RuleReference] = []
    evidence: list[Evidence] = []
    history: list[Step] = []
