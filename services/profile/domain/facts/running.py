"""Facts that run or drift with the days: a move of theirs is news where somebody asks for a limit that they pass, and
for nobody else. When one that runs passes the next can be told beforehand."""

from collections.abc import Mapping
from math import ceil, floor

from schemas.asked import Asked, Limit
from schemas.changes import Fact
from services.profile.domain.facts.catalogue import RUNNING

DRIFTING = frozenset({"balance_mean_30d", "balance_mean_365d", "balance_deviation_365d"})
"""Means over days: nearly every close moves them a little, whatever happens."""
_DAILY = RUNNING.keys() | DRIFTING
Values = Mapping[str, Fact]


def moved(before: Values, after: Values, asked: Asked | None) -> bool:
    """Whether what is told has changed for anybody. `asked` None: nobody has said for whom."""
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
    """After how many of its units it may pass the next one, if nothing else happens; None: after none. One that counts
    down starts anew when it is through."""
    value, ahead = _number(values, name), 1 if RUNNING[name].a_day > 0 else -1
    if name in asked.wholly:
        return 1
    away = [(_bound(one, values) - value) * ahead for one in asked.limits.get(name, ())]
    steps = [step for one in away for step in (ceil(one), floor(one) + 1) if step > 0]
    if away and ahead < 0:
        steps.append(int(value) + 1)
    return min(steps, default=None)
