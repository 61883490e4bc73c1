"""Facts that change by themselves, day by day: such a change is worth publishing only when it passes a limit that a
rule asks for. For those that run evenly, the day can be told in advance."""

from collections.abc import Mapping
from math import ceil, floor

from schemas.asked import Asked, Limit
from schemas.changes import Fact
from services.profile.domain.facts.catalogue import RUNNING

DRIFTING = frozenset({"balance_mean_30d", "balance_mean_365d", "balance_deviation_365d"})
"""Means over days: nearly every close moves them a little, whatever happens."""
RETURNING = frozenset({"anniversary_in_days", "birthday_in_days"})
"""They count down year by year: at rest on the day itself, and running again from the next one on."""
_DAILY = RUNNING.keys() | DRIFTING
Values = Mapping[str, Fact]


def moved(before: Values, after: Values, asked: Asked | None) -> bool:
    """Whether the facts have changed in a way that matters to anybody. Without `asked` every change matters."""
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if asked is None:
        return bool(changed)
    return any(name not in _DAILY or _passed(name, before, after, asked) for name in changed)


def _passed(name: str, before: Values, after: Values, asked: Asked) -> bool:
    if name in asked.wholly:
        return True
    return any(_side(name, one, before) != _side(name, one, after) for one in asked.limits.get(name, ()))


def _side(name: str, limit: Limit, values: Values) -> int:
    value, bound = _number(values, name), _bound(limit, values)
    return (value > bound) - (value < bound)


def _bound(limit: Limit, values: Values) -> float:
    return limit.than + limit.times * _number(values, limit.other) if limit.other else limit.than


def _number(values: Values, name: str) -> float:
    value = values.get(name, 0.0)
    return value if isinstance(value, float) else 0.0


def steps_to_limit(name: str, values: Values, asked: Asked) -> int | None:
    """After how many of its units the fact may pass its next limit, if nothing else happens; None for never. A
    countdown starts anew when it is through."""
    value, ahead = _number(values, name), 1 if RUNNING[name].a_day > 0 else -1
    if name in asked.wholly:
        return 1
    away = [(_bound(one, values) - value) * ahead for one in asked.limits.get(name, ())]
    steps = [step for one in away for step in (ceil(one), floor(one) + 1) if step > 0]
    if away and ahead < 0:
        steps.append(int(value) + 1)
    return min(steps, default=None)
