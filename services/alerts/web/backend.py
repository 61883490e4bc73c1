"""What the handlers need, handed in by the composition root."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import NamedTuple

from litestar.di import NamedDependency

from schemas.changes import ProfileChange
from services.access import Access
from services.alerts.act import Act
from services.alerts.current import Current
from services.alerts.domain.alert import Evidence
from services.alerts.domain.expressions import Expressions
from services.alerts.ports import AlertStore
from services.clock import Clock
from services.notifications import Notifications


class Stated(NamedTuple):
    """`up_to_date` false: more of the customer was committed, and a mistake of ours keeps it from being stated."""

    change: ProfileChange
    up_to_date: bool = True


class Backend(NamedTuple):
    """`stated`: a customer as it stands now; None if there is no such id. `events_of`: the events that a piece of
    evidence was counted from, as JSON. `names`: what customers are called now, by their ids."""

    store: AlertStore
    act: Act
    current: Current
    expressions: Expressions
    access: Access
    notifications: Notifications
    clock: Clock
    stated: Callable[[str], Awaitable[Stated | None]]
    events_of: Callable[[str, Evidence], Awaitable[bytes]]
    names: Callable[[Collection[str]], Awaitable[Mapping[str, str]]]

    @property
    def currency(self) -> str | None:
        """Of the bank, in which money is told."""
        return self.current.rules.amounts.currency or None


Injected = NamedDependency[Backend]
