"""Customers as they are now: the stored view where it is current, else one combined from the states as refresh will do.

A stored view is not current when a mark waits for the customer, and when it is from another day or was made by other
tables and scales than this process has now. Tier and owner are shown as last decided. A customer that cannot be
combined is shown as stored, and marked as not up to date.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import structlog

from services.failures import Rejected, trace_of
from services.profile.domain.identity.links import cluster_of
from services.profile.domain.states.months import OtherShape
from services.profile.domain.summarise import show, summarise
from services.profile.domain.value.policy import Policy
from services.profile.gathering import Gathering, gathered
from services.profile.ports.reading import Look, Resolved
from services.profile.ports.records import StoredView
from services.profile.recent_views import AsOf, Basis, RecentViews
from services.profile.statement import is_same, made_by, shows_the_same, statement_of, view_of

CANNOT_BE_SHOWN = (
    "this customer is known and cannot be shown: a bug met it before it was ever written; a worker tries again each "
    "minute, and `counterpoint doctor` says what to do"
)
_log = structlog.get_logger(__name__)


class CurrentCustomer(NamedTuple):
    """`tag` differs whenever the content does: the view's version (0 if it was never written), with a digest if it was
    combined for this reader. `up_to_date` is false when more was committed and cannot be shown."""

    view: StoredView
    tag: str
    up_to_date: bool = True


_SumUp = Callable[[Basis, int], CurrentCustomer | None]
"""Combines a customer from its basis at a time (ms); None if nothing is known of it."""


class CurrentCustomers:
    """Answers for the customers that resolved subjects count for, each once; one whose subjects count for others by now
    is left out. The second value says whether a customer is missing because it can neither be combined nor shown as
    stored; if all are, `Rejected` is raised."""

    def __init__(self, gathering: Gathering, policy: Callable[[], Policy], now_ms: Callable[[], int]) -> None:
        self._gathering, self._policy, self._now_ms = gathering, policy, now_ms
        self._recent = RecentViews[CurrentCustomer]()

    async def views(self, look: Look, resolved: Sequence[Resolved]) -> tuple[list[CurrentCustomer], bool]:
        return await self._each(look, resolved, self._view_now)

    async def with_facts(self, look: Look, resolved: Sequence[Resolved]) -> tuple[list[CurrentCustomer], bool]:
        """As `views`, with the facts of now: they cost as much again as the view."""
        return await self._each(look, resolved, self._facts_now)

    async def _each(
        self, look: Look, resolved: Sequence[Resolved], sum_up: _SumUp
    ) -> tuple[list[CurrentCustomer], bool]:
        customers = {one.lead: one for one in resolved}
        waiting = [one for one in customers.values() if one.waits or self._is_outdated(one.view)]
        combined, missed = await self._combined(look, waiting, sum_up) if waiting else ({}, frozenset[str]())
        found = [
            combined[lead] if lead in combined else _as_written(one, behind=lead in missed)
            for lead, one in customers.items()
        ]
        shown = [one for one in found if one is not None]
        left_out = any(_as_written(customers[lead]) is None for lead in missed)
        if left_out and not shown:
            raise Rejected("cannot_be_shown", CANNOT_BE_SHOWN)
        return shown, left_out

    def _is_outdated(self, view: StoredView | None) -> bool:
        """Some facts change daily; refresh writes them only when they pass a limit of a rule. What other
        declarations change is written with the next refresh."""
        if view is None or not view.is_live:
            return False
        policy = self._policy()
        is_of_today = policy.reference.day_of(view.changed_at) == policy.reference.day_of(self._now_ms())
        return not is_of_today or made_by(view) != policy.version

    async def _combined(
        self, look: Look, waiting: Sequence[Resolved], sum_up: _SumUp
    ) -> tuple[dict[str, CurrentCustomer | None], frozenset[str]]:
        """The combined customers by lead, and the leads of those that cannot be combined."""
        now, combined = self._now_ms(), dict[str, CurrentCustomer | None]()
        clusters = await look.clusters([one.lead for one in waiting])
        wanted = {one.lead: clusters.get(one.lead) or cluster_of([one.lead]) for one in waiting}
        found = await gathered(look, sorted({root for cluster in wanted.values() for root in cluster.roots}))
        context = await self._gathering.context(look, found.members, now)
        for one in waiting:
            try:
                cluster = wanted[one.lead]
                combined[one.lead] = sum_up(Basis(one.lead, cluster, found.of(cluster), one.view, context), now)
            except OtherShape:
                pass  # a state of another release: it waits to be rebuilt
            except Exception as bug:
                _log.error("customer not combined", customer=self._gathering.alias_of(one.lead), error=trace_of(bug))
        return combined, frozenset(wanted.keys() - combined.keys())

    def _view_now(self, basis: Basis, now: int) -> CurrentCustomer | None:
        policy, before = self._policy(), basis.before
        as_of = AsOf(policy.reference.day_of(now), policy.version)
        if (known := self._recent.of(basis, as_of)) is not None:
            return known
        customer = self._gathering.customer(*basis)
        if customer.tells_nothing:
            return None
        view = view_of(customer, show(customer, policy, now), before, now)
        current = _as_combined(before, view, alike=before is not None and shows_the_same(before, view))
        self._recent.note(basis, as_of, current)
        return current

    def _facts_now(self, basis: Basis, now: int) -> CurrentCustomer | None:
        customer, policy, before = self._gathering.customer(*basis), self._policy(), basis.before
        if customer.tells_nothing:
            return None
        view = statement_of(customer, summarise(customer, policy, now, placing=None), before, now, policy).view
        return _as_combined(before, view, alike=before is not None and is_same(before, view))


def _as_combined(before: StoredView | None, view: StoredView, *, alike: bool) -> CurrentCustomer:
    if before is not None and alike:
        return CurrentCustomer(before, str(before.version))
    view = msgspec.structs.replace(view, version=before.version if before is not None else 0)
    digest = hashlib.blake2b(view.body + view.facts, digest_size=8).hexdigest()
    return CurrentCustomer(view, f"{view.version}+{digest}")


def _as_written(one: Resolved, *, behind: bool = False) -> CurrentCustomer | None:
    if one.view is None or not one.view.is_live:
        return None
    return CurrentCustomer(one.view, f"{one.view.version}{'+behind' if behind else ''}", not behind)
