"""What rules would have said of a past: how often, when, of whom, together with which other rules, and how right."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

import msgspec

from schemas.instants import DAY_MS, instant
from services.alerts.domain.alert import Alert, Evidence

TOGETHER_MS = 30 * DAY_MS
"""Two rules that speak of a customer within so long of each other speak of the same."""


class Spoken(NamedTuple):
    """A rule has spoken in an alert, once however grave it became and however often it came and went. `at`: when it
    did; `ended_at`: when it held no longer, 0 while it does (ms)."""

    rule: str
    version: int
    customer_id: str
    situation: str
    owner: str
    alert_id: str
    at: int
    occurred_at: int
    ended_at: int


class Planted(msgspec.Struct, frozen=True):
    """Something known to have happened: help was possible from `signal_from_ms` to `signal_until_ms`, and on `loss_ms`
    the loss came."""

    kind: str
    customer_id: str
    signal_from_ms: int
    signal_until_ms: int
    loss_ms: int


class Said(msgspec.Struct, frozen=True):
    """One word: of whom and to whom, `at` which time, and of what `occurred_at` another; when it held no longer."""

    customer_id: str
    owner: str
    situation: str
    at: str
    occurred_at: str
    ended_at: str | None


class RuleCount(msgspec.Struct, frozen=True):
    """`withdrawn`: that did not go on holding. `alone`: when no other rule spoke of the customer about then;
    `together`: other rule → how often it did. `months` as 2026-05; `owners` and `customers`: whose, and of whom.
    `said`: each of them, the oldest first."""

    rule: str
    spoken: int
    alerts: int
    withdrawn: int
    alone: int
    together: dict[str, int]
    months: dict[str, int]
    owners: dict[str, int]
    customers: dict[str, int]
    said: list[Said]


class Caught(msgspec.Struct, frozen=True):
    """Of one kind of what was planted (all of them: `kind` empty). Days from the first word to the loss."""

    kind: str
    planted: int
    caught: int
    median_days_of_warning: float | None


class Right(msgspec.Struct, frozen=True):
    """How many of a rule's words can be told to have been right, and how many were."""

    rule: str
    known: int
    right: int


def spoken_in(alerts: Iterable[Alert], since: int, until: int) -> list[Spoken]:
    found = [
        Spoken(one.rule, one.rule_version, one.origin or alert.customer_id, alert.situation, alert.owner,
               alert.alert_id, at, one.occurred_at, one.ended_at)
        for alert in alerts for one, at in _words(alert) if since <= at < until
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.at, one.customer_id, one.rule))


def _words(alert: Alert) -> list[tuple[Evidence, int]]:
    """The last piece of each, with when the first was seen."""
    words: list[tuple[Evidence, int]] = []
    newest: dict[str, int] = {}
    for one in alert.evidence:
        place = newest.get(one.key)
        if one.goes_on and place is not None:
            words[place] = (one, words[place][1])
        else:
            newest[one.key] = len(words)
            words.append((one, one.seen_at))
    return words


def count(spoken: Sequence[Spoken], rules: Iterable[str]) -> list[RuleCount]:
    """Of these rules; the others are what they are compared with."""
    of_customer: dict[str, list[Spoken]] = {}
    of_rule: dict[str, list[Spoken]] = {rule: [] for rule in rules}
    for one in spoken:
        of_customer.setdefault(one.customer_id, []).append(one)
        if one.rule in of_rule:
            of_rule[one.rule].append(one)
    return [_count(rule, told, of_customer) for rule, told in of_rule.items()]


def _count(rule: str, told: Sequence[Spoken], of_customer: Mapping[str, Sequence[Spoken]]) -> RuleCount:
    beside = [{other.rule for other in of_customer[one.customer_id]
               if abs(other.at - one.at) <= TOGETHER_MS} - {rule} for one in told]  # fmt: skip
    return RuleCount(
        rule=rule, spoken=len(told), alerts=len({one.alert_id for one in told}),
        withdrawn=sum(one.ended_at > 0 for one in told), alone=sum(not others for others in beside),
        together=_most(other for others in beside for other in others), months=_by_month(told),
        owners=_most(one.owner for one in told), customers=_most(one.customer_id for one in told),
        said=[Said(one.customer_id, one.owner, one.situation, instant(one.at), instant(one.occurred_at),
                   instant(one.ended_at) if one.ended_at else None) for one in told],
    )  # fmt: skip


def _most(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


def _by_month(told: Iterable[Spoken]) -> dict[str, int]:
    return dict(sorted(Counter(datetime.fromtimestamp(one.at / 1000, UTC).strftime("%Y-%m") for one in told).items()))


def caught(spoken: Iterable[Spoken], planted: Sequence[Planted]) -> list[Caught]:
    """By kind, and all of them last."""
    of_customer: dict[str, list[int]] = {}
    for one in spoken:
        of_customer.setdefault(one.customer_id, []).append(one.at)
    first = {
        story: min((at for at in of_customer.get(story.customer_id, ())
                    if story.signal_from_ms <= at < story.signal_until_ms), default=None)
        for story in planted
    }  # fmt: skip
    kinds = sorted({story.kind for story in planted})
    return [_caught(kind, {s: at for s, at in first.items() if kind in ("", s.kind)}) for kind in (*kinds, "")]


def _caught(kind: str, first: Mapping[Planted, int | None]) -> Caught:
    days = [(story.loss_ms - at) / DAY_MS for story, at in first.items() if at is not None]
    return Caught(kind, len(first), len(days), round(median(days), 1) if days else None)


def right_by_truth(spoken: Iterable[Spoken], planted: Iterable[Planted]) -> list[Right]:
    """A word is right about a customer between the first signal and the loss; all that is not planted is wrong."""
    times: dict[str, list[Planted]] = {}
    for story in planted:
        times.setdefault(story.customer_id, []).append(story)
    known, right = Counter[str](), Counter[str]()
    for one in spoken:
        known[one.rule] += 1
        right[one.rule] += any(s.signal_from_ms <= one.at <= s.loss_ms for s in times.get(one.customer_id, ()))
    return [Right(rule, known[rule], right[rule]) for rule in sorted(known)]


def right_by_outcome(spoken: Iterable[Spoken], worked: Iterable[Alert]) -> list[Right]:
    """`worked`: alerts as people closed them. A word about the same situation, about then, shares their outcome."""
    outcomes: dict[tuple[str, str], list[Alert]] = {}
    for alert in worked:
        if alert.outcome is not None:
            outcomes.setdefault((alert.customer_id, alert.situation), []).append(alert)
    known, right = Counter[str](), Counter[str]()
    for one in spoken:
        alerts = outcomes.get((one.customer_id, one.situation), ())
        near = min(alerts, key=lambda alert: abs(alert.opened_at - one.at), default=None)
        if near is not None and near.outcome is not None and abs(near.opened_at - one.at) <= TOGETHER_MS:
            known[one.rule] += 1
            right[one.rule] += near.outcome.result != "not_relevant"
    return [Right(rule, known[rule], right[rule]) for rule in sorted(known)]
