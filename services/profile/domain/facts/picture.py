"""The input of facts, moments and due times: everything that is known of a customer at one time."""

import msgspec

from schemas.asked import Asked
from schemas.changes import Fact
from services.profile.domain.customers.assets import Assets
from services.profile.domain.customers.balances import Courses
from services.profile.domain.customers.behaviour import Behaviour
from services.profile.domain.customers.buckets import Buckets
from services.profile.domain.customers.customer import Customer, Decided, sources_of
from services.profile.domain.customers.measures import Measured
from services.profile.domain.customers.view import Basics
from services.profile.domain.reference.tables import Reference
from services.profile.domain.value.value import Judged

Facts = dict[str, Fact | None]
"""By name; None where unknown."""


class Picture(msgspec.Struct, frozen=True, gc=False):
    """Everything that the facts and moments of one customer at one instant are worked out from.

    `now` in ms; `today` counts UTC days, as the day buckets do; `bank_day` counts days in the bank's zone.
    `measured`: only measures of which something was counted."""

    customer: Customer
    basics: Basics
    buckets: Buckets
    measured: dict[str, Measured]
    courses: Courses
    assets: Assets
    behaviour: Behaviour
    judged: Judged
    decided: Decided
    reference: Reference
    top_potential: int
    asked: Asked | None
    now: int
    today: int
    bank_day: int

    def major(self, minor: int | None) -> float | None:
        """In major units of the home currency, as rules write them."""
        return None if minor is None else minor / self.reference.home_unit

    def home(self, minor: int, currency: str) -> float | None:
        """The same of another currency, at the day's rate; None without one."""
        return self.major(self.reference.home_minor(minor, currency, self.bank_day))

    def sources_of(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """The registered sources that speak for any of these channels."""
        return sources_of(self.customer.completeness, channels)

    def complete_until(self, channels: tuple[str, ...]) -> int:
        """Until when nothing can be missing from these channels (ms); an absence after that is not judged."""
        until = [self.customer.completeness.until.get(source, 0) for source in self.sources_of(channels)]
        return min([self.now, *until])
