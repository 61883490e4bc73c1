"""Which steps of an alert's life each destination hears, once; and what becomes of a message that did not arrive."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import msgspec

from schemas.alerts import Alert
from schemas.instants import HOUR_MS
from services.alerts.domain.destinations import Destination, Happening, digest_due, wants, wants_notice
from services.alerts.domain.notices import Notice

DeliveryState = Literal["waiting", "delivered", "dead", "dropped"]
STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)
HAPPENED: Mapping[str, Happening] = {
    "open": "opened", "route": "routed", "reassign": "routed", "hand_over": "routed", "raise": "raised",
    "remind": "reminded", "escalate": "escalated", "withdraw": "withdrawn", "supersede": "withdrawn",
    "expire": "expired", "outcome": "closed", "false_alarm": "closed",
}  # fmt: skip
"""Action of a step → what is told. The other steps are of the inbox alone."""
_MOVED = ("reassign", "hand_over")
_ANSWERED = ("claim", "snooze", "plan", "contact")
"""Actions after which nobody need hear any more that an alert had come to somebody, or waited."""
ENDED: tuple[Happening, ...] = ("withdrawn", "expired", "closed")
NOTICE: Literal["notice"] = "notice"
BACKOFF_MS = (5_000, 30_000, 120_000, 600_000, HOUR_MS, 6 * HOUR_MS)
GIVE_UP_MS = 24 * HOUR_MS
OLD_MS = 24 * HOUR_MS
"""A step older than this is no news: of a topic read from its beginning, or of an outage that long."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one destination. `step` counts from 0 in the alert's history. `body`: the alert as the topic
    carries it, or a notice; then `alert_id` holds the notice's name. `tried_at`: the first attempt. `error`: why the
    last one failed. Times in ms, 0 for none."""

    delivery_id: str
    destination: str
    person: str
    alert_id: str
    happening: Happening | Literal["notice"]
    step: int
    body: bytes
    created_at: int
    next_at: int
    state: DeliveryState = "waiting"
    attempts: int = 0
    tried_at: int = 0
    ended_at: int = 0
    error: str = ""


def news(alert: Alert, seen: int, now: int) -> dict[Happening, int]:
    """What has happened since `seen` steps of its history → the step; of the same happening twice, the last."""
    steps = alert.history
    if not seen:  # an alert that was parted from another has that one's past, which has been told
        seen = next((n for n in range(len(steps), 0, -1) if steps[n - 1].action == "part"), 0)
    fresh = (n for n in range(seen, len(steps)) if steps[n].at >= now - OLD_MS)
    return {HAPPENED[steps[n].action]: n for n in fresh if steps[n].action in HAPPENED}


def deliveries(
    alert: Alert, body: bytes, told: Mapping[Happening, int], destinations: Iterable[Destination], now: int
) -> list[Delivery]:
    return [
        Delivery(
            delivery_id=_id_of(destination, alert, happening, step, person),
            destination=destination.id, person=person, alert_id=alert.alert_id, happening=happening, step=step,
            body=body, created_at=now, next_at=digest_due(destination, now),
        )
        for destination in destinations
        for happening, step in told.items()
        if destination.kind == "webhook"
        or (_concerns_people(alert, happening, told) and not is_overtaken(alert, step + 1, destination))
        for person in _people(destination, alert, happening, step)
    ]  # fmt: skip


def _concerns_people(alert: Alert, happening: Happening, told: Iterable[Happening]) -> bool:
    """People do not hear how an alert began that is over already, nor that they got one that was pulled back since."""
    if happening == "routed" and alert.state == "new":
        return False
    return happening in ENDED or not any(one in ENDED for one in told)


def is_overtaken(alert: Alert, since: int, destination: Destination) -> bool:
    """Whether, from that step on, somebody took up what people wait to hear of there, or it went to somebody else. A
    digest tells of the day, and so of what was taken up as well."""
    overtaking = _MOVED if destination.digest_at else (*_MOVED, *_ANSWERED)
    return any(one.action in overtaking for one in alert.history[since:])


def _id_of(destination: Destination, alert: Alert, happening: Happening, step: int, person: str) -> str:
    """For people, an alert that comes back after it was held back is the same message on the same channel; a system
    hears every step. Its time tells a step from the one that stood in its place before the database was restored."""
    comes_up = alert.history[step].action == "route" and destination.kind != "webhook"
    which = ("route",) if comes_up else (step, alert.history[step].at)
    return _delivery_id(destination.id, alert.alert_id, happening, *which, person)


def is_pulled_back(alert: Alert, seen: int) -> bool:
    """Whether, after `seen` steps, a guard or a retention case has taken it from whoever had it."""
    steps = alert.history
    fresh = range(max(seen, 1), len(steps))
    return any(steps[n].action == "hold" and (steps[n - 1].state, steps[n].state) == ("routed", "new") for n in fresh)


def is_stale(alert: Alert, seen: int, destination: Destination, now: int) -> bool:
    """Whether, after `seen` steps, people need not hear there any more of what they have not heard yet."""
    if destination.kind == "webhook":
        return False
    has_ended = any(one in ENDED for one in news(alert, seen, now))
    return has_ended or is_pulled_back(alert, seen) or is_overtaken(alert, seen, destination)


def _people(destination: Destination, alert: Alert, happening: Happening, step: int) -> list[str]:
    """An escalation goes to the owner and the superior, if the destination is mail; any other has one place for all."""
    asked = dict.fromkeys((alert.owner, alert.history[step].to or alert.owner))
    wanted = (wants(destination, alert.kind, alert.severity, one, happening) for one in asked)
    people = list(dict.fromkeys(one for one in wanted if one is not None))
    return people if destination.kind == "mail" else people[:1]


def notice_deliveries(told: Notice, body: bytes, destinations: Iterable[Destination], now: int) -> list[Delivery]:
    name = f"rule:{told.rule}:{told.matter}:{told.at}"
    return [
        Delivery(
            delivery_id=_delivery_id(destination.id, name), destination=destination.id, person=person,
            alert_id=name, happening=NOTICE, step=0, body=body, created_at=told.at, next_at=now,
        )
        for destination in destinations
        if (person := wants_notice(destination, told.owner)) is not None
    ]  # fmt: skip


def _delivery_id(*parts: str | int) -> str:
    """The same step on the same destination always has the same id, by which receivers know a repeat."""
    return "msg_" + hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:24]


def message_id(together: Sequence[Delivery]) -> str:
    """The id of a message, or of a digest by its parts."""
    return together[0].delivery_id if len(together) == 1 else _delivery_id(*(one.delivery_id for one in together))


def delivered(one: Delivery, now: int) -> Delivery:
    return msgspec.structs.replace(
        one, state="delivered", attempts=one.attempts + 1, tried_at=one.tried_at or now, ended_at=now, error=""
    )


def missed(one: Delivery, why: str, retry_after_s: float, now: int) -> Delivery:
    """It will be tried again: the pauses grow, and the last attempt is a day after the first."""
    first, attempts = one.tried_at or now, one.attempts + 1
    if now - first >= GIVE_UP_MS:
        return refused(one, why, now)
    pause = max(BACKOFF_MS[min(attempts, len(BACKOFF_MS)) - 1], int(retry_after_s * 1000))
    again = min(now + pause, first + GIVE_UP_MS)
    return msgspec.structs.replace(one, attempts=attempts, tried_at=first, next_at=again, error=why)


def refused(one: Delivery, why: str, now: int) -> Delivery:
    return msgspec.structs.replace(
        one, state="dead", attempts=one.attempts + 1, tried_at=one.tried_at or now, ended_at=now, error=why
    )


def held(one: Delivery, until: int) -> Delivery:
    return msgspec.structs.replace(one, next_at=until)


def room_at(most_an_hour: int, sent: Sequence[int]) -> int:
    """When a person who got messages at these times of the last hour may get the next one (ms); 0: now."""
    if not most_an_hour or len(sent) < most_an_hour:
        return 0
    return sorted(sent)[-most_an_hour] + HOUR_MS
