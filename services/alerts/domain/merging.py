"""Alerts when two customers merge into one, and when one is split again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from schemas.changes import GONE, ProfileChange
from services.alerts.domain.alert import SYSTEM, UNTOUCHED, Alert, Evidence, Step, step
from services.alerts.domain.retracting import left_without_cause
from services.alerts.domain.standing import Standing
from services.alerts.domain.terms import Terms
from services.alerts.domain.weighing import weigh

_WORK = (
    "state", "claimed_by", "owner", "waiting", "snoozed_until", "planned_at", "routed_at", "routed_day", "due_at",
    "reminded_at", "escalated_at",
)  # fmt: skip


class Side(NamedTuple):
    """One of the two customers. `alerts`: at least its open ones."""

    customer_id: str
    standing: Standing
    alerts: Sequence[Alert]


def merged_into(change: ProfileChange) -> str:
    """The customer that a statement of one who is gone says to have taken it over; "" where there is none."""
    return change.aliases[0] if change.kind == GONE and change.aliases else ""


def meets(change: ProfileChange, other: Standing) -> bool:
    """Whether a statement that names the other as merged is the first to say so, and not older than the other's own
    last statement."""
    return not other.merged_into and other.as_of <= change.changed_at


def is_spoken_for(change: ProfileChange, standing: Standing) -> bool:
    """Whether this statement is out of date: a newer one of the customer that it was merged into spoke for it already,
    and only the word that it is gone is still on its way."""
    waits_for_gone = bool(standing.merged_into) and standing.kind != GONE
    return waits_for_gone and change.kind != GONE and change.changed_at <= standing.as_of


def withdraw_all(alerts: Iterable[Alert], now: int) -> list[Alert]:
    """The open alerts of a customer that is gone without having been merged. Returns what changed."""
    ended = [alert for alert in alerts if alert.is_open]
    for alert in ended:
        step(alert, now, SYSTEM, "withdraw", "withdrawn", "the customer stands for nobody any more")
    return ended


def merge(gone: Side, into: Side, terms: Terms, now: int) -> list[Alert]:
    """Moves the open alerts of the one that is gone to the other; those of the same situation become one. Evidence
    keeps the customer of whom it was said. Returns what changed."""
    open_there, to = {one.situation: one for one in into.alerts if one.is_open}, into.customer_id
    changed: list[Alert] = []
    for alert in gone.alerts:
        if not alert.is_open:
            continue
        for evidence in alert.evidence:
            evidence.origin = evidence.origin or alert.customer_id
        there = open_there.get(alert.situation)
        if there is None:
            former, alert.customer_id = alert.customer_id, to
            step(alert, now, SYSTEM, "move", alert.state, f"{_moved(former)}{to}")
            changed.append(alert)
            continue
        _join(there, alert, terms)
        step(there, now, SYSTEM, "merge", there.state, f"with {alert.alert_id} of {alert.customer_id}")
        step(alert, now, SYSTEM, "supersede", "superseded", f"by {there.alert_id} of {to}")
        changed += [there, alert]
    _hand_over(gone, into.standing, open_there, now)
    gone.standing.merged_into = to
    return changed


def moved_from(former: str, alerts: Iterable[Alert]) -> list[Alert]:
    """Those that a merge brought along whole."""
    note = _moved(former)
    return [
        alert for alert in alerts if any(one.action == "move" and one.note.startswith(note) for one in alert.history)
    ]


def _moved(former: str) -> str:
    """How the note of a step begins that moves an alert to another customer."""
    return f"{former} became "


def _join(there: Alert, alert: Alert, terms: Terms) -> None:
    """Keeps the evidence of both, even where it says the same: a split must know whose it is. Work that was begun on
    either alert goes on."""
    known = {(one.key, one.origin) for one in there.evidence}
    there.evidence = [*there.evidence, *(one for one in alert.evidence if (one.key, one.origin) not in known)]
    if there.state in UNTOUCHED and alert.state not in UNTOUCHED:
        _take_over(there, alert)
        there.begun_for = alert.begun_for or alert.customer_id
    weigh(there, terms)


def _take_over(to: Alert, work: Alert) -> None:
    for field in _WORK:
        setattr(to, field, getattr(work, field))


def _hand_over(gone: Side, into: Standing, open_there: dict[str, Alert], now: int) -> None:
    """What has fired or rests for the one has fired or rests for the other."""
    moved = {
        one.alert_id: there.alert_id for one in gone.alerts if (there := open_there.get(one.situation)) is not None
    }
    for key, firing in gone.standing.firings.items():
        firing.alert_id = moved.get(firing.alert_id, firing.alert_id)
        firing.origin, firing.handed_at = firing.origin or gone.customer_id, now
        known = into.firings.get(key)
        if known is None or not known.alert_id:  # a firing with an alert goes before one that was held back
            into.firings[key] = firing
    for rule, until in gone.standing.cooled.items():
        into.rest(rule, until)
    gone.standing.firings = {}


def departed(side: Side, merged: Iterable[str]) -> set[str]:
    """Customers that were merged into this one and are not named as `merged` any more."""
    said_of = {evidence.origin for alert in side.alerts if alert.is_open for evidence in alert.evidence}
    return said_of - {"", side.customer_id, *merged}


def split(back: Side, there: Side, terms: Terms, now: int) -> list[Alert]:
    """`back` stands alone again: evidence on it leaves the open alerts of `there`, which it had been merged into.
    Returns what changed."""
    changed: list[Alert] = []
    customer_id, firings = back.customer_id, there.standing.firings
    for key in [key for key, firing in firings.items() if firing.origin == customer_id]:
        back.standing.firings[key] = firings.pop(key)
    for alert in there.alerts:
        theirs = [one for one in alert.evidence if one.origin == customer_id]
        if not alert.is_open or not theirs:
            continue
        kept = [one for one in alert.evidence if one.origin != customer_id]
        if not kept:
            step(alert, now, SYSTEM, "part", alert.state, f"{customer_id} stands alone again")
            alert.customer_id = customer_id
            changed.append(alert)
        else:
            changed += _divide(alert, back, theirs, kept, terms, now)
        theirs_held, kept_held = _held(theirs), _held(kept)
        _give_back(theirs_held, kept_held, there.standing, back.standing, changed[-1].alert_id)
        _leave(theirs_held, kept_held, there.standing, back.standing, alert.alert_id)
    back.standing.merged_into = ""
    return changed


def _held(evidence: Iterable[Evidence]) -> dict[str, str]:
    """key → of whom it was said."""
    return {one.key: one.origin for one in evidence if not one.ended_at}


def _give_back(theirs: Collection[str], kept: Collection[str], there: Standing, back: Standing, alert: str) -> None:
    """What has fired for both has fired for each."""
    for key in theirs:
        firing = back.firings.get(key) or there.firings.get(key)
        if firing is not None:
            back.firings[key] = msgspec.structs.replace(firing, alert_id=alert)
        if key not in kept:
            there.firings.pop(key, None)


def _leave(theirs: Collection[str], kept: Mapping[str, str], there: Standing, back: Standing, alert: str) -> None:
    """What came with the one who leaves, and was said of others since, stays with them: without it nothing would take
    back what they are told."""
    for key, origin in kept.items():
        if key in there.firings or key not in back.firings:
            continue
        firing = back.firings[key] if key in theirs else back.firings.pop(key)
        there.firings[key] = msgspec.structs.replace(firing, alert_id=alert, origin=origin)


def _since_taken_over(alert: Alert) -> list[Step]:
    """Since a merge brought along somebody's work: what was noted before it is not that customer's."""
    taken_over = [
        after.action == "merge" and before.state in UNTOUCHED and after.state not in UNTOUCHED
        for before, after in pairwise(alert.history)
    ]
    return alert.history[max([place for place, is_it in enumerate(taken_over, 2) if is_it], default=0) :]


def _divide(
    alert: Alert, side: Side, theirs: list[Evidence], kept: list[Evidence], terms: Terms, now: int
) -> list[Alert]:
    """Divides an alert that has evidence on both. Whoever works on it keeps it with its history, and the new alert
    starts with the manager of the customer that leaves. Where the work had begun on that customer's alert before
    the merge, it is the other way round."""
    customer_id = side.customer_id
    back = Alert(
        alert_id=side.standing.id_to_open(customer_id, alert.situation), customer_id=customer_id,
        situation=alert.situation, kind=alert.kind, tier=alert.tier, branch=alert.branch, opened_at=alert.opened_at,
        evidence=theirs, history=_since_taken_over(alert) if alert.begun_for == customer_id else [],
    )  # fmt: skip
    alert.evidence = kept
    if alert.begun_for == customer_id:
        _take_over(back, alert)
        _take_over(alert, Alert(alert_id="", customer_id="", situation="", kind=alert.kind))
        alert.begun_for = ""
    alone = f"{customer_id} stands alone again"
    step(alert, now, SYSTEM, "part", alert.state, alone)
    step(back, now, SYSTEM, "part", back.state, f"from {alert.alert_id} of {alert.customer_id}")
    for one in (alert, back):
        weigh(one, terms)
        if not one.current_evidence():
            left_without_cause(one, f"{alone}: what stood was said of the other", now)
    return [alert, back]
