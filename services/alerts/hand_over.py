"""USE CASE: alerts that a manager who has left had in hand, or was given, go to whoever answers for the customer now.
Others that nobody has taken up follow the customer's owner by themselves."""

from collections.abc import Awaitable, Callable

from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.routing import hand_over
from services.alerts.outbox import DESK, write
from services.alerts.pages import pages
from services.alerts.ports import OPEN, AlertFilter, AlertStore

AT_ONCE = 200


class HandOver:
    """`left`: the managers who have left."""

    def __init__(self, store: AlertStore, current: Current, left: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._store, self._current, self._left = store, current, left

    async def apply(self, now: int) -> list[Alert]:
        """Raises `Contended`, `Unavailable`; what was done before stands."""
        left = await self._left()
        changed: list[Alert] = []
        if left:
            async for found in pages(self._store, AlertFilter(owner=tuple(sorted(left)), state=(OPEN,)), AT_ONCE):
                changed += await self._some_of({one.customer_id for one in found}, left, now)
        return changed

    async def _some_of(self, customers: set[str], left: frozenset[str], now: int) -> list[Alert]:
        terms = self._current.terms
        async with self._store.working() as tx:
            standings, alerts = await tx.lock(sorted(customers)), await tx.alerts_of(sorted(customers))
            changed = [
                one for customer, found in alerts.items() for one in found
                if one.owner in left and hand_over(one, standings[customer], left, terms, now)
            ]  # fmt: skip
            await write(tx, DESK, changed, terms, now)
        return changed
