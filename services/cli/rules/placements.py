"""Where the customers of a past were placed, as it was chosen then: who lives it through again chooses nothing."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from operator import itemgetter
from typing import Self

import msgspec

from services.profile.domain.customers.assets import Assets
from services.profile.domain.customers.customer import Customer, Decided
from services.profile.domain.value.placing import laid_over
from services.profile.domain.value.policy import Policy
from services.profile.domain.value.value import Judged
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import Placement

ROWS_AT_ONCE = 5_000
AHEAD_MS = 60_000
"""A customer was placed a moment after what led to it was accepted, and both were told in one statement."""
_decode = msgspec.json.Decoder(Decided).decode


class Placements:
    def __init__(self, told: Iterable[Placement]) -> None:
        self._of: dict[str, list[tuple[int, Decided]]] = {}
        for one in sorted(told):
            self._of.setdefault(one.lead, []).append((one.at, _decode(one.decided)))
        self._ahead = deque(sorted((at, lead) for lead, known in self._of.items() for at, _ in known))

    @classmethod
    async def read(cls, reader: ProfileReader, until: int) -> Self:
        """Those before (ms)."""
        found: list[Placement] = []
        after = ("", 0)
        while rows := await reader.placements_page(after, ROWS_AT_ONCE):
            after = rows[-1][:2]
            found += (one for one in rows if one.at < until)
        return cls(found)

    def place(self, customer: Customer, judged: Judged, assets: Assets, policy: Policy, now: int) -> Decided:
        """As the customer was placed by then; of whom nothing was chosen yet, nothing is."""
        known = self._of.get(customer.lead, [])
        reached = bisect_right(known, now + AHEAD_MS, key=itemgetter(0))
        return laid_over(known[reached - 1][1] if reached else Decided(), customer.decided)

    def next_at(self) -> int | None:
        return self._ahead[0][0] if self._ahead else None

    def reached(self, now: int) -> set[str]:
        """Customers placed otherwise since this was asked last."""
        leads = set[str]()
        while self._ahead and self._ahead[0][0] <= now:
            leads.add(self._ahead.popleft()[1])
        return leads
