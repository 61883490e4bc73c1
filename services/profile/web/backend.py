"""What the handlers need, handed in by the composition root."""

from collections.abc import Mapping
from typing import NamedTuple

from litestar.di import NamedDependency

from services.access import Access
from services.clock import Clock
from services.notifications import Notifications
from services.profile.decide import Decide
from services.profile.domain.customers.freshness import Patience
from services.profile.domain.facts.catalogue import FactDeclared
from services.profile.read import Read


class Backend(NamedTuple):
    """`limits`: subject kind → how many customers one such identifier may identify. `facts`: by name."""

    read: Read
    decide: Decide
    access: Access
    notifications: Notifications
    clock: Clock
    limits: Mapping[str, int]
    facts: Mapping[str, FactDeclared]
    patience: Patience


Injected = NamedDependency[Backend]
