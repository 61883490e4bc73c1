"""What holds an alert back: guards win over selling; retention comes before upsell for one customer; and a customer has
so many open alerts and no more. Pure; what was given is changed in place."""

from collections.abc import Collection, Iterable, Sequence

from services.alerts.domain.alert import SYSTEM, Alert, step
from services.alerts.domain.judging import HOLDS, Verdict

RETENTION_FIRST, BUDGET = "retention_first", "budget"


def guards(verdict: Verdict) -> bool:
    """What is not known holds back as well."""
    return verdict.rule.declared.kind == "guard" and verdict.outcome in (HOLDS, "missing")


def blocked(verdicts: Iterable[Verdict]) -> dict[str, str]:
    """Kind of alert → the guard that holds it back."""
    found: dict[str, str] = {}
    for verdict in verdicts:
        if guards(verdict):
            for kind in verdict.rule.declared.blocks:
                found.setdefault(kind, verdict.rule.id)
    return found


def hold_back(alerts: Collection[Alert], verdicts: Sequence[Verdict], budget: int, now: int) -> list[Alert]:
    """`alerts`: the open ones of a customer; `budget`: how many of them may be with somebody. Returns what changed."""
    wordings = (one.rule.declared.wording for one in verdicts if guards(one))
    wording, held_back = next((one for one in wordings if one), ""), blocked(verdicts)
    retains = any(one.kind == "retention" for one in alerts)
    routed = sum(one.state != "new" for one in alerts)
    changed: list[Alert] = []
    for alert in alerts:
        waiting = held_back.get(alert.kind, "")
        if alert.kind == "upsell" and not waiting and retains:
            waiting = RETENTION_FIRST
        if not waiting and alert.state == "new" and routed >= budget:
            waiting = BUDGET
        is_worded_anew = alert.wording != wording
        alert.wording = wording
        if _waits(alert, waiting, now) or is_worded_anew:
            changed.append(alert)
    return changed


def _waits(alert: Alert, waiting: str, now: int) -> bool:
    """True where that is news."""
    if alert.waiting == waiting or (alert.waiting == "capacity" and not waiting):
        return False
    alert.waiting = waiting
    state = "new" if waiting and alert.state == "routed" else alert.state
    step(alert, now, SYSTEM, "hold" if waiting else "release", state, waiting)
    return True
