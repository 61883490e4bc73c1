"""The life of an alert in the hands of people: which step may follow which, and who may take it."""

import re
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from schemas.instants import DAY_MS
from services.alerts.domain.alert import OPEN_STATES, Alert, Outcome, State, step
from services.alerts.domain.guarding import BUDGET
from services.alerts.domain.routing import CAPACITY, IN_HAND, QUEUE
from services.expected import unfit
from services.failures import Rejected

Action = Literal["claim", "snooze", "plan", "contact", "outcome", "reassign", "false_alarm"]
_AFTER: Mapping[Action, State] = {
    "claim": "claimed", "snooze": "snoozed", "plan": "planned", "contact": "contacted", "outcome": "closed",
    "reassign": "routed", "false_alarm": "closed",
}  # fmt: skip
_FROM: Mapping[Action, tuple[State, ...]] = {
    "claim": ("new", "routed"),
    "snooze": ("claimed", "planned", "contacted"),
    "plan": ("claimed", "contacted", "planned", "snoozed"),
    "contact": ("claimed", "planned", "contacted", "snoozed"),
    "outcome": ("claimed", "planned", "contacted", "snoozed"),
    "reassign": OPEN_STATES,
    "false_alarm": OPEN_STATES,
}
MAX_NOTE, MAX_REASON = 2_000, 200
_NAME = re.compile(r"\S{1,100}")
MAX_AWAY_MS = 366 * DAY_MS
"""For as long as something may be put off or planned ahead."""
_TAKING_UP: tuple[Action, ...] = ("claim", "reassign")
_NO_BAR = ("", CAPACITY, BUDGET)
CHANGED = "changed_meanwhile"


class IllegalStep(Rejected):
    """The step is not possible as the alert stands; `possible_now` names those that are."""

    def __init__(self, reason: str, message: str, alert: Alert, possible_now: list[Action]) -> None:
        self.possible, self.state, self.claimed_by = possible_now, alert.state, alert.claimed_by
        can = ", ".join(map(spelled, self.possible)) or "nothing more"
        super().__init__(reason, f"{message}; possible now: {can}", "action")


class Actor(NamedTuple):
    """`name` signs the step. `manager_id`: whose portfolio the actor works; None for one who may act on all of them."""

    name: str
    manager_id: str | None = None


class StepRequest(NamedTuple):
    """`until`: snooze and plan (ms). `to`: reassign, a manager's id. `seen`: the revision of the alert must be one of
    these; None: whichever it is."""

    action: Action
    note: str = ""
    until: int = 0
    to: str = ""
    outcome: Outcome | None = None
    seen: Collection[int] | None = None


def spelled(action: Action) -> str:
    """As its command and its path are."""
    return action.replace("_", "-")


def possible(alert: Alert, actor: Actor | None = None) -> list[Action]:
    """For this actor; None: for whoever works it. Somebody else may only take it over."""
    is_anothers = actor is not None and _is_anothers(alert, actor)
    return [
        one for one, states in _FROM.items()
        if alert.state in states and not _barred(alert, one) and (one == "reassign" or not is_anothers)
    ]  # fmt: skip


def _is_anothers(alert: Alert, actor: Actor) -> bool:
    """Who oversees all portfolios, and the superior who was told, may act on what somebody has claimed."""
    is_free = alert.claimed_by in ("", actor.name) or actor.manager_id in (None, alert.escalated_to)
    return alert.is_open and not is_free


def _barred(alert: Alert, action: Action) -> bool:
    """Nobody takes up what a guard or a retention case holds back; anybody may take up what waits for room."""
    return alert.state == "new" and action in _TAKING_UP and alert.waiting not in _NO_BAR


def act(alert: Alert, asked: StepRequest, actor: Actor, answer_for: Collection[str], now: int) -> None:
    """Changes the alert. `answer_for`: managers who answer for the customer now, besides the alert's owner. Raises
    `IllegalStep` (changed_meanwhile, illegal_step, already_claimed, held_back), `Rejected` (not_yours,
    invalid_value)."""
    _refuse_strangers(alert, actor, answer_for)
    can = possible(alert, actor)
    if asked.seen is not None and alert.revision not in asked.seen:
        raise IllegalStep(CHANGED, "the alert has changed since it was read", alert, can)
    if asked.action not in can:
        raise IllegalStep(*_why_not(alert, asked.action, actor), alert, can)
    _refuse_incomplete(asked, now)
    _take_up(alert, asked, actor)
    step(alert, now, actor.name, asked.action, _AFTER[asked.action], _note(asked))


def _why_not(alert: Alert, action: Action, actor: Actor) -> tuple[str, str]:
    if _barred(alert, action):
        return "held_back", f"{alert.waiting} holds it back"
    if _is_anothers(alert, actor) or (action == "claim" and alert.is_open and alert.claimed_by):
        who = "you have" if alert.claimed_by == actor.name else f"{alert.claimed_by} has"
        return "already_claimed", f"{who} claimed it"
    return "illegal_step", f"an alert that is {alert.state} takes no {spelled(action)}"


def _refuse_strangers(alert: Alert, actor: Actor, answer_for: Collection[str]) -> None:
    if actor.manager_id is None or alert.owner.startswith(QUEUE) or not alert.owner:
        return
    if actor.manager_id not in {alert.owner, alert.escalated_to, *answer_for}:
        raise Rejected("not_yours", f"{alert.owner} answers for this customer: ask to have it reassigned", "owner")


def _refuse_incomplete(asked: StepRequest, now: int) -> None:
    _refuse_text("note", asked.note, MAX_NOTE)
    if asked.action in ("snooze", "plan") and not now < asked.until <= now + MAX_AWAY_MS:
        field = "until" if asked.action == "snooze" else "at"
        raise Rejected("invalid_value", "a time to come, within a year, is expected", field)
    if asked.action == "reassign" and not _NAME.fullmatch(asked.to):
        raise Rejected("invalid_value", "the manager who takes it over is expected", "to")
    if asked.action == "outcome":
        _refuse_vague(asked.outcome)


def _refuse_text(field: str, text: str, most: int) -> None:
    if wrong := unfit(text, most):
        raise Rejected("invalid_value", wrong, field)


def _refuse_vague(outcome: Outcome | None) -> None:
    if outcome is None:
        raise Rejected("invalid_value", "an outcome is expected", "result")
    _refuse_text("reason", outcome.reason, MAX_REASON)
    _refuse_text("product", outcome.product, MAX_REASON)
    if outcome.result == "not_relevant" and not outcome.reason.strip():
        raise Rejected("invalid_value", "why it was not relevant is expected: the rule learns from it", "reason")
    if outcome.result == "sold" and not outcome.product.strip():
        raise Rejected("invalid_value", "which product was sold is expected", "product")
    if outcome.result == "sold" and outcome.amount_minor <= 0:
        raise Rejected("invalid_value", "for how much it was sold is expected, more than nothing", "amount")


def _take_up(alert: Alert, asked: StepRequest, actor: Actor) -> None:
    if alert.state in IN_HAND and not alert.claimed_by:
        alert.claimed_by = actor.name  # whoever had it has left
    alert.snoozed_until = asked.until if asked.action == "snooze" else 0
    if asked.action == "plan":
        alert.planned_at = asked.until
    elif asked.action == "claim":
        alert.claimed_by = actor.name
        alert.owner = actor.manager_id or alert.owner  # who has claimed it is reminded of it
        alert.waiting = ""
    elif asked.action == "reassign":
        # whoever has it from here on begins anew, and for the customer as he or she is now
        alert.owner, alert.claimed_by, alert.begun_for = asked.to, "", ""
    elif asked.action == "outcome":
        alert.outcome = asked.outcome
    elif asked.action == "false_alarm":
        alert.outcome = Outcome(result="not_relevant", reason="false_alarm", note=asked.note)


def _note(asked: StepRequest) -> str:
    if asked.action == "reassign":
        return f"to {asked.to}" + (f": {asked.note}" if asked.note else "")
    if asked.outcome is not None:
        return asked.outcome.result + (f": {asked.note}" if asked.note else "")
    return asked.note
