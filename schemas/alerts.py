"""What the topic `alerts` carries: one customer situation for one owner, whole at every step of its life."""

import msgspec

from schemas.changes import Fact


class RuleReference(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    version: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What made a rule hold: an event (or none, for an absence) and the values seen then. Time in ms UTC."""

    rule_id: str
    occurred_at: int
    event_id: str = ""
    text: str = ""
    values: dict[str, Fact] = {}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an alert's life. `actor` is a user's id or `system`. Time in ms UTC."""

    at: int
    actor: str
    action: str
    state: str
    note: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is retention, upsell or guard; times are ms UTC, `due_at` 0 when there is no service level.

    `revision` counts the alert's own steps: a consumer that has seen a newer one skips the older.
    """

    alert_id: str
    revision: int
    customer_id: str
    kind: str
    situation: str
    severity: int
    title: str
    reason: str
    state: str
    opened_at: int
    owner: str = ""
    due_at: int = 0
    suggested: str = ""
    rules: list[RuleReference] = []
    evidence: list[Evidence] = []
    history: list[Step] = []
