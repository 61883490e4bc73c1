"""Answers about who may come in, remembered for less than a second: what is revoked must stop working within it.

Many ask at once, so one look-up serves all of them; and of what is asked often, the next answer is fetched before the
last one is too old: nobody waits for it.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

# short of that second, also where two answers follow each other
TTL_S = 0.5
AHEAD_S = 0.25
MAX_REMEMBERED = 10_000


def hashed(secret: str) -> str:
    """Neither salt nor stretching is called for: a key or token is 256 random bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Answer(NamedTuple, Generic[Value]):
    """`at`: when it was asked for, in seconds."""

    value: Value
    at: float


class CredentialCache(Generic[Value]):
    """`look_up` may raise `Unavailable`. `monotonic` gives seconds."""

    def __init__(self, look_up: Callable[[str], Awaitable[Value]], monotonic: Callable[[], float]) -> None:
        self._look_up, self._monotonic = look_up, monotonic
        self._answers: dict[str, Answer[Value]] = {}
        self._asking: dict[str, asyncio.Task[Value]] = {}

    async def get(self, key: str) -> Value:
        """Raises what the look-up raises, once the last answer is too old."""
        answer, now = self._answers.get(key), self._monotonic()
        age = TTL_S if answer is None else now - answer.at
        if answer is None or age >= TTL_S:
            # shielded: others wait for it, too
            return await asyncio.shield(self._asked(key, now))
        if age >= AHEAD_S:
            self._asked(key, now)
        return answer.value

    def last(self, key: str) -> Answer[Value] | None:
        """However old."""
        return self._answers.get(key)

    def _asked(self, key: str, now: float) -> "asyncio.Task[Value]":
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, now), name="who may come in")
            task.add_done_callback(lambda done: self._told(key, done))
        return task

    def _told(self, key: str, done: "asyncio.Task[Value]") -> None:
        del self._asking[key]
        if not done.cancelled():
            done.exception()  # who waited has it; fetched ahead, the next one asks again

    async def _ask(self, key: str, now: float) -> Value:
        value = await self._look_up(key)
        if len(self._answers) >= MAX_REMEMBERED:
            self._answers.clear()
        self._answers[key] = Answer(value, now)
        return value
