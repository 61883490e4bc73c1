"""The shapes of questions and answers: read by the framework, and the source of the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from schemas.changes import Fact
from services.alerts.domain.alert import Result, State
from services.alerts.domain.lifecycle import Action
from services.alerts.domain.rules import Kind
from services.web.problems import ProblemDocument, described, problem_of

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Amount(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Major units, as text: `{"value": "50000.00", "currency": "CNY"}`."""

    value: str
    currency: str


class Noted(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `claim`, `contact` and `false-alarm`."""

    note: str = ""


class Snooze(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    until: Instant
    note: str = ""


class Plan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When the customer is to be visited or called."""

    at: Instant
    note: str = ""


class OutcomeGiven(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`not_relevant` needs its `reason`; `sold` needs `product` and `amount`."""

    result: Result
    reason: str = ""
    product: str = ""
    amount: Amount | None = None
    note: str = ""


class Reassign(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`to`: a manager's id, or the queue of a branch (`queue:BRANCH`)."""

    to: str
    note: str = ""


class RuleSpoken(msgspec.Struct, kw_only=True):
    id: str
    version: int


class AlertEvidence(msgspec.Struct, kw_only=True):
    """`event_id`: None for an absence, or for facts. `values`: everything that the rule saw. `ended_at`: when it ceased
    to hold, or more severe evidence took its place. `goes_on`: it repeats earlier evidence of the rule, more severe or
    once more. `origin`: the customer of whom it was said, if that one was merged."""

    rule: RuleSpoken
    name: str
    text: str
    occurred_at: str
    seen_at: str
    ended_at: str | None
    goes_on: bool
    event_id: str | None
    customer_version: int
    severity: int
    value: float | None
    values: dict[str, Fact]
    origin: str | None


class FactEvents(msgspec.Struct, kw_only=True):
    """A fact with the `value` that the rule saw. `events`: those that it was counted from, newest first, in the form of
    the timeline and with what each `counts`; `left_out`: how many more there are. `counted`: what they add up to;
    `adds_up`: whether that is the value. `came_later`: events of that time that were accepted only afterwards. For a
    fact that is no sum over a window, `events` are those that tell of what it is about, or null; `why` says so, and
    also why events do not add up."""

    name: str
    value: Fact
    since: str | None
    until: str | None
    counted: float | None
    adds_up: bool | None
    events: list[dict[str, Any]] | None
    left_out: int | None
    came_later: list[dict[str, Any]] | None
    why: str | None


class EvidenceEvents(msgspec.Struct, kw_only=True):
    """`event`: the event of the moment that the rule was judged on; null if there was none, or if it was a decision."""

    rule: RuleSpoken
    seen_at: str
    customer_version: int
    origin: str | None
    event: dict[str, Any] | None
    facts: list[FactEvents]


class AlertEvents(msgspec.Struct, kw_only=True):
    """`evidence` in the order in which the alert shows it."""

    alert_id: str
    customer_id: str
    evidence: list[EvidenceEvents]


class AlertStep(msgspec.Struct, kw_only=True):
    """`to`: the superior that it was escalated to."""

    at: str
    actor: str
    action: str
    state: State
    note: str
    to: str | None


class AlertOutcome(msgspec.Struct, kw_only=True):
    result: Result
    reason: str
    product: str
    amount: Amount | None
    note: str


class AlertShown(msgspec.Struct, kw_only=True):
    """Times are RFC 3339 in UTC. `revision` is later with each change. `customer_name`: as the profile knows it
    now; null where nobody told it, or the customer was erased. `value`: what is at stake, in the bank's home
    `currency` as all facts that are money; null where that is unknown. `rank`: the order of the inbox. `due_at`: by
    when to answer, and after a contact by when to note its outcome. `tier`: the customer's when the alert was
    opened, whatever it is by now; `grade` and the time to answer go by it. `waiting`: a guard's id,
    `retention_first`, `budget` or `capacity`. `wording` `service_only`: nothing may be offered; a sale has the
    words of the guard that says so, any other alert adds what that forbids; `other_channels`: nothing by a channel
    that the customer refused. `possible`: the steps that are possible now (the path of `false_alarm` is
    `false-alarm`), to whoever has claimed it where somebody has."""

    alert_id: str
    revision: int
    customer_id: str
    customer_name: str | None
    kind: Kind
    situation: str
    severity: int
    grade: str
    title: str
    reason: str
    rules: list[RuleSpoken]
    evidence: list[AlertEvidence]
    owner: str | None
    branch: str | None
    tier: str | None
    claimed_by: str | None
    state: State
    waiting: str | None
    wording: str | None
    possible: list[Action]
    value: float | None
    currency: str | None
    rank: float
    opened_at: str
    routed_at: str | None
    due_at: str | None
    expires_at: str | None
    snoozed_until: str | None
    planned_at: str | None
    reminded_at: str | None
    escalated_at: str | None
    ended_at: str | None
    suggested: str
    may_say: str
    must_not_say: str
    outcome: AlertOutcome | None
    history: list[AlertStep]


class AlertList(msgspec.Struct, kw_only=True):
    """Greatest rank first; `next` is the cursor of the next page."""

    alerts: list[AlertShown]
    next: str | None


class StepRefused(ProblemDocument, kw_only=True):
    """`possible`: the steps that the alert takes of the asker as it stands (the path of `false_alarm` is
    `false-alarm`)."""

    state: State
    claimed_by: str | None
    possible: list[Action]


_REFUSED = problem_of(StepRefused, "Not as the alert stands")
_CHANGED = problem_of(StepRefused, "The alert is not at a revision of `If-Match` any more")


def answers(shape: type | None = None) -> dict[int, ResponseSpec]:
    return described(shape, {})


def step_answers() -> dict[int, ResponseSpec]:
    return described(None, {}) | {409: _REFUSED, 412: _CHANGED}
