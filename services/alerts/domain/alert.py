"""An alert: one situation of one customer, for one owner, from its opening to its outcome."""

import hashlib
from typing import Literal

import msgspec

from schemas.changes import Fact
from services.alerts.domain.rules import EMPTY, Kind, Role, Text, Words

State = Literal[
    "new", "routed", "claimed", "snoozed", "planned", "contacted", "closed", "withdrawn", "expired", "superseded"
]
OPEN_STATES: tuple[State, ...] = ("new", "routed", "claimed", "snoozed", "planned", "contacted")
UNTOUCHED: tuple[State, ...] = ("new", "routed")
"""Nobody works on it yet: it may be withdrawn without telling anybody."""
UNANSWERED: tuple[State, ...] = ("routed", "claimed")
"""Somebody has it, but the customer was not contacted and no contact is planned."""
TOOK_NO_TIME: tuple[State, ...] = ("new", "withdrawn", "expired", "superseded")
"""These take no place in an owner's day: nobody worked on them. What was worked and closed keeps its place, because a
place stands for a person's time."""
SYSTEM = "system"
Result = Literal["saved", "lost", "sold", "not_relevant", "unreachable"]


class Evidence(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a rule fired: the rule as it was, when, all values that it saw, and what it contributes to the alert while it
    stands (words, role, value at stake, time to answer). `key`: see `Verdict.key`. `ended_at`: when it ceased to hold
    (ms), 0 while it holds. `goes_on`: it repeats an earlier piece of the same key, more severe or within the cooldown.
    `origin`: the customer of whom it was said, if that one was merged. `told`: the facts of `values` that `text`
    tells."""

    key: str
    rule: str
    rule_version: int
    name: Text
    kind: Kind
    occurred_at: int
    seen_at: int
    statement: int
    event_id: str = ""
    severity: int = 1
    value: float | None = 0.0
    text: Text = EMPTY
    values: dict[str, Fact] = {}
    suggested: Text = EMPTY
    may_say: Text = EMPTY
    must_not_say: Text = EMPTY
    role: Role = "manager"
    respond_within_hours: int = 16
    expires_at: int = 0
    ended_at: int = 0
    goes_on: bool = False
    origin: str = ""
    told: tuple[str, ...] = ()


class Step(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """`actor`: a user's name, or `system`. `to`: the superior to whom it was escalated. Time in ms."""

    at: int
    actor: str
    action: str
    state: State
    note: str = ""
    to: str = ""


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """`product` and `amount_minor` of what was sold; `reason` of what was not relevant."""

    result: Result
    note: str = ""
    reason: str = ""
    product: str = ""
    amount_minor: int = 0
    currency: str = ""


class Alert(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`waiting`: why a new one is not routed yet (a guard's id, `retention_first`, `budget`, `capacity`). `worded_by`:
    the guard for which it goes out with that `wording`; `guard_says`: the words of that one, or of the one that holds
    it back. `value`: what is at stake, None where that is unknown. `rank`: value x urgency x precision. `routed_day`:
    the working day in which it takes a place of its owner's capacity. `owner`: who answers for it, a manager's id, or
    `queue:BRANCH`; `role`: whose work its gravest rule is. `begun_for`: the customer of whom it was taken up, before a
    merge. Times in ms, 0: none."""

    alert_id: str
    customer_id: str
    situation: str
    kind: Kind
    state: State = "new"
    revision: int = 0
    severity: int = 1
    value: float | None = 0.0
    rank: float = 0.0
    grade: str = ""
    owner: str = ""
    branch: str = ""
    role: Role = "manager"
    tier: str = ""
    claimed_by: str = ""
    begun_for: str = ""
    waiting: str = ""
    wording: str = ""
    worded_by: str = ""
    guard_says: Words = Words()
    title: Text = EMPTY
    reason: Text = EMPTY
    may_say: Text = EMPTY
    must_not_say: Text = EMPTY
    suggested: Text = EMPTY
    opened_at: int = 0
    routed_at: int = 0
    routed_day: int = -1
    due_at: int = 0
    expires_at: int = 0
    snoozed_until: int = 0
    planned_at: int = 0
    reminded_at: int = 0
    escalated_at: int = 0
    ended_at: int = 0
    respond_within_hours: int = 16
    evidence: list[Evidence] = []
    history: list[Step] = []
    outcome: Outcome | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def rules(self) -> list[tuple[str, int]]:
        """Every rule that has spoken, with its newest version, in the order in which they did."""
        return list({one.rule: one.rule_version for one in self.evidence}.items())

    @property
    def escalated_to(self) -> str:
        """The superior who was told, while that stands."""
        told = (one.to for one in reversed(self.history) if one.action == "escalate")
        return next(told, "") if self.escalated_at else ""

    @property
    def gave_back_its_place(self) -> bool:
        """Of its owner's day."""
        return self.routed_at > 0 and self.routed_day < 0

    @property
    def is_given(self) -> bool:
        """Whether a person has given it to its owner, so that it does not follow its customer's."""
        moves = (one.action for one in reversed(self.history) if one.action in ("reassign", "hand_over"))
        return bool(self.owner) and next(moves, "") == "reassign"

    def current_evidence(self) -> list[Evidence]:
        """What has not ended."""
        return [one for one in self.evidence if not one.ended_at]

    def current_on(self, key: str) -> Evidence | None:
        return next((one for one in self.current_evidence() if one.key == key), None)


def alert_id(customer_id: str, situation: str, number: int) -> str:
    """`number`: counts the alerts that were opened of this customer's situation. So what is judged again after the
    database was set back comes back under the id by which it is known."""
    told = "\n".join((customer_id, situation, str(number)))
    return "al_" + hashlib.sha256(told.encode()).hexdigest()[:24]


def step(alert: Alert, at: int, actor: str, action: str, state: State, note: str = "", to: str = "") -> None:
    """The only way in which an alert changes its state. Changes the alert given."""
    alert.state = state
    alert.history = [*alert.history, Step(at=at, actor=actor, action=action, state=state, note=note, to=to)]
    if state in TOOK_NO_TIME:
        alert.routed_day = -1
    if not alert.is_open:
        alert.ended_at = at
        alert.waiting = ""
