"""Who gets an alert, and when: the portfolio's owner, while away the delegate, else the branch's queue. An owner gets
no more in a day than he or she can work, the greatest rank first."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.changes import ProfileChange
from services.alerts.domain.alert import SYSTEM, UNTOUCHED, Alert, State, step
from services.alerts.domain.rules import Desk, Role
from services.alerts.domain.standing import Standing
from services.alerts.domain.terms import Terms, answer_by
from services.expected import nearest
from services.failures import Rejected

CAPACITY = "capacity"
IN_HAND: tuple[State, ...] = ("claimed", "snoozed", "planned", "contacted")
QUEUE = "queue:"
ALONE: Mapping[str, float] = MappingProxyType({})


class Place(NamedTuple):
    """A customer's place in the bank, as a statement tells it. `acting`: who answers now, empty for nobody."""

    acting: str
    branch: str


class Staff(NamedTuple):
    """Whom an alert may be given to. `left`: managers who do not work here any more."""

    managers: frozenset[str] = frozenset()
    branches: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()


def refuse_nobody(to: str, branch: str, staff: Staff) -> None:
    """Raises `Rejected` (unknown_owner) with those that it may be given to. `branch`: the customer's own."""
    queues = {QUEUE + one for one in (*staff.branches, branch) if one}
    if to in staff.managers or to in queues:
        return
    own = f"`{QUEUE}{branch}`" if branch else f"`{QUEUE}BRANCH`"
    near = nearest(to, [*staff.managers, *queues])
    why = f"{to} works here no more" if to in staff.left else f"nobody is known as {to}{near}"
    then = f"{why} Else" if why.endswith("?") else f"{why};"
    raise Rejected("unknown_owner", f"{then} a manager with customers or a token is expected, or a queue: {own}", "to")


def owner_for(place: Place, role: Role, desk: Desk) -> str:
    """A manager's id, or the queue of a branch (`queue:` alone where no branch is known)."""
    return desk.roles.get(role) or place.acting or QUEUE + place.branch


def place_of(change: ProfileChange) -> Place:
    facts = change.facts
    return Place(str(facts.get("acting_owner", "")), str(facts.get("branch", "")))


def follow_owner(alert: Alert, place: Place, desk: Desk, now: int) -> bool:
    """Moves an alert that nobody has taken up when its customer's owner, or the role that its most severe rule asks
    for, has changed. True when it moved."""
    owner = owner_for(place, alert.role, desk)
    if alert.state not in UNTOUCHED or alert.owner == owner or alert.is_given:
        return False
    had, alert.owner, alert.branch = alert.owner, owner, place.branch
    if alert.state == "routed":
        step(alert, now, SYSTEM, "hand_over", "routed", f"from {had} to {owner}")
    return True


def hand_over(alert: Alert, standing: Standing, left: Collection[str], terms: Terms, now: int) -> bool:
    """Moves an alert that somebody who has `left` had in hand, or was given, to whoever answers for the customer now,
    as it stands and with new time to answer: what was said and planned still holds, and whoever goes on has it in hand
    from then on. False while nobody else answers."""
    acting = next((one for one in (standing.acting, standing.owner) if one not in left), "")
    owner = owner_for(Place(acting, alert.branch), alert.role, terms.desk)
    if (alert.state not in IN_HAND and not alert.is_given) or owner == alert.owner:
        return False
    had, alert.owner, alert.claimed_by = alert.owner, owner, ""
    if alert.state != "new":
        answer_from(alert, terms, now)
    step(alert, now, SYSTEM, "hand_over", alert.state, f"from {had}, who has left, to {owner}")
    return True


def by_rank(alerts: Iterable[Alert]) -> list[Alert]:
    """The order in which waiting alerts get a place: greatest rank, then oldest."""
    return sorted(alerts, key=lambda one: (-one.rank, one.opened_at, one.alert_id))


def limited(alerts: Iterable[Alert]) -> list[str]:
    """The owners of these alerts who take only so many in a day. Queues have no limit: a branch shares its work."""
    return sorted({one.owner for one in alerts if not one.owner.startswith(QUEUE)})


def route(
    alerts: Iterable[Alert], routed: Mapping[str, int], terms: Terms, now: int, before: Mapping[str, float] = ALONE
) -> list[Alert]:
    """Gives alerts that wait for nothing else to their owners while there is room; returns what changed. `routed`:
    owner → alerts that he or she got this working day, for the `limited` ones. `before`: owner → the greatest rank of
    others that wait for room and come first. An alert that comes on a day off takes a place of the next working day;
    one that waits for room waits until that day begins, since a greater one may still come."""
    taken, changed, is_off = dict(routed), [], not terms.works(terms.day_of(now))
    for alert in by_rank(one for one in alerts if one.state == "new" and one.waiting in ("", CAPACITY)):
        room = terms.desk.capacities.get(alert.owner, terms.desk.daily_capacity)
        is_behind = alert.waiting == CAPACITY if is_off else alert.rank <= before.get(alert.owner, -1.0)
        is_full = taken.get(alert.owner, 0) >= room or is_behind
        if not alert.owner.startswith(QUEUE) and is_full:
            if alert.waiting != CAPACITY:
                alert.waiting = CAPACITY
                step(alert, now, SYSTEM, "hold", "new", CAPACITY)
                changed.append(alert)
            continue
        taken[alert.owner] = taken.get(alert.owner, 0) + 1
        give(alert, terms, now)
        step(alert, now, SYSTEM, "route", "routed", f"to {alert.owner}")
        changed.append(alert)
    return changed


def give(alert: Alert, terms: Terms, now: int) -> None:
    """The alert takes a place of its owner's working day."""
    alert.waiting, alert.routed_day = "", terms.working_day_of(now)
    answer_from(alert, terms, now)


def answer_from(alert: Alert, terms: Terms, now: int) -> None:
    """Starts the time to answer."""
    alert.routed_at, alert.due_at = now, answer_by(now, alert.respond_within_hours, alert.tier, terms)
    alert.reminded_at = alert.escalated_at = 0
