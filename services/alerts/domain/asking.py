"""What the rules ask of facts, so that the profile knows which change is news to them."""

from schemas.asked import Asked, Limit
from services.alerts.domain.compiled import RuleSet


def asked_of(rules: RuleSet) -> Asked:
    """By every condition and severity of those that run. A value at stake is read when a rule fires, and asks nothing
    before."""
    limits: dict[str, set[Limit]] = {}
    wholly: set[str] = set()
    for rule in rules.rules:
        if rule.declared.enabled:
            for part in (*rule.parts, rule.severity):
                wholly |= part.facts - part.limits.keys()
                for name, told in part.limits.items():
                    limits.setdefault(name, set()).update(told)
    plain = {name: frozenset(told) for name, told in limits.items() if name not in wholly}
    return Asked(rules.version, plain, frozenset(wholly))
