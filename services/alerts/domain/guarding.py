"""What holds an alert back: guards hold back selling, retention goes before upsell for one customer, and a customer has
only so many open alerts. Alerts are changed in place."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from services.alerts.domain.alert import SYSTEM, Alert, step
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.judging import HOLDS, MISSING, Verdict
from services.alerts.domain.routing import CAPACITY, by_rank
from services.alerts.domain.rules import Words
from services.alerts.domain.standing import Standing
from services.alerts.domain.weighing import word

RETENTION_FIRST, BUDGET = "retention_first", "budget"


def guards(verdict: Verdict) -> bool:
    """Whether the verdict is of a guard that holds; one that cannot be judged holds as well."""
    return verdict.rule.declared.kind == "guard" and verdict.outcome in (HOLDS, MISSING)


def blocked(verdicts: Iterable[Verdict]) -> dict[str, str]:
    """Kind of alert → the guard that holds it back."""
    found: dict[str, str] = {}
    for verdict in verdicts:
        if guards(verdict):
            for kind in verdict.rule.declared.blocks:
                found.setdefault(kind, verdict.rule.id)
    return found


def hold_back(
    alerts: Collection[Alert], verdicts: Sequence[Verdict], budget: int, now: int, released: str = ""
) -> list[Alert]:
    """`alerts`: the open ones of a customer. `budget`: how many of them may be with somebody. `released`: the note for
    alerts that are held back no longer. Returns what changed."""
    held_back, (wording, worded_by) = blocked(verdicts), _worded(verdicts)
    says = {one.rule.id: _words_of(one) for one in verdicts if guards(one)}
    waiting, changed = _waiting(alerts, held_back, budget), list[Alert]()
    for alert in alerts:
        speaks = held_back.get(alert.kind, worded_by)
        worded = wording, worded_by, says.get(speaks, Words())
        is_worded_anew = (alert.wording, alert.worded_by, alert.guard_says) != worded
        if is_worded_anew:
            alert.wording, alert.worded_by, alert.guard_says = worded
            word(alert)
        if _waits(alert, waiting[alert.alert_id], now, released) or is_worded_anew:
            changed.append(alert)
    return changed


def _worded(verdicts: Iterable[Verdict]) -> tuple[str, str]:
    """How, and by which guard: who may be offered nothing need not be told by which channel."""
    told = [(one.rule.declared.wording, one.rule.id) for one in verdicts if guards(one) and one.rule.declared.wording]
    return min(told, key=lambda one: one[0] != "service_only", default=("", ""))


def _words_of(guard: Verdict) -> Words:
    """A guard that forbids channels alone leaves a sale its own words."""
    declared = guard.rule.declared
    if declared.wording == "other_channels":
        return Words(must_not_say=declared.must_not_say)
    return Words(declared.suggested, declared.may_say, declared.must_not_say)


def _waiting(alerts: Collection[Alert], held_back: Mapping[str, str], budget: int) -> dict[str, str]:
    """Alert id → what it waits for. Sales that are with somebody already keep their room; of the new ones, the greatest
    rank gets what is left. A sale asks for room among all alerts, any other only among those that sell nothing."""
    retains = any(one.kind == "retention" for one in alerts)
    found = {one.alert_id: held_back.get(one.kind, "") or _after_retention(one, retains) for one in alerts}
    stay = [one for one in alerts if one.state != "new" and not (one.state == "routed" and found[one.alert_id])]
    all_of_them, without_sales = len(stay), sum(one.kind != "upsell" for one in stay)
    for alert in by_rank(alerts):
        if found[alert.alert_id] or alert.state != "new":
            continue
        sells = alert.kind == "upsell"
        if (all_of_them if sells else without_sales) >= budget:
            found[alert.alert_id] = BUDGET
            continue
        all_of_them += 1
        if not sells:
            without_sales += 1
    return found


def _after_retention(alert: Alert, retains: bool) -> str:
    return RETENTION_FIRST if retains and alert.kind == "upsell" else ""


def hold_back_anew(
    alerts: Iterable[Alert], standing: Standing, rules: RuleSet, budget: int, now: int, released: str = ""
) -> list[Alert]:
    """As `hold_back`, without a new statement, by the guards of the last one: one of them was removed, or an alert that
    others waited for is over. Guards that exist no more are forgotten."""
    held = [(rules.rule(one), outcome) for one, outcome in standing.guards.items()]
    verdicts = [Verdict(rule, outcome) for rule, outcome in held if rule is not None and rule.declared.enabled]
    standing.guards = {one.rule.id: one.outcome for one in verdicts}
    return hold_back([one for one in alerts if one.is_open], verdicts, budget, now, released)


def _waits(alert: Alert, waiting: str, now: int, released: str) -> bool:
    """Notes what the alert waits for; True where that has changed."""
    if alert.waiting == waiting or (alert.waiting == CAPACITY and not waiting):
        return False
    alert.waiting = waiting
    state = "new" if waiting and alert.state == "routed" else alert.state
    step(alert, now, SYSTEM, "hold" if waiting else "release", state, waiting or released)
    return True
