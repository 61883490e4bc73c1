"""Every draw comes from a generator keyed by what it is for, so that any customer's any day can be made alone."""

from functools import cache
from random import Random

_MASK = (1 << 64) - 1


def chance(seed: int, purpose: str, *key: int) -> Random:
    """The same generator for the same seed, purpose and key, on every machine."""
    return Random(_state(seed, purpose, key))  # noqa: S311 - a simulation, not a secret


def draw(seed: int, purpose: str, *key: int) -> float:
    """One number from 0 to 1, where a whole generator would cost too much."""
    return _state(seed, purpose, key) / (_MASK + 1)


def _state(seed: int, purpose: str, key: tuple[int, ...]) -> int:
    state = _mix(seed & _MASK ^ _purpose(purpose))
    for part in key:
        state = _mix(state ^ (part & _MASK))
    return state


@cache
def _purpose(purpose: str) -> int:
    return int.from_bytes(purpose.encode()[:8].ljust(8, b"\0"), "big")


def _mix(value: int) -> int:
    """SplitMix64's finalizer (Steele, Lea, Flood 2014): neighbouring keys give unrelated streams."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def times(random: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average (geometric)."""
    count = 0
    while random.random() < mean / (1 + mean):
        count += 1
    return count
