"""USE CASE: people decide who is who. Every decision has an actor and a reason, and is undone by another one; only an
erasure (see `erasing`) is not.

Merging changes clusters of roots; detaching bars links. Neither touches an event, a state or a version.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from services.attempts import again_when_contended
from services.expected import unfit
from services.failures import Rejected
from services.profile.domain.identity.links import COLLECTIVES, Link, bar, clusters, kind_of, lift
from services.profile.domain.states.fold import Fold
from services.profile.erasing import ERASE, erase, erase_customer, lock_and_see
from services.profile.linking import Linking, reach
from services.profile.merged_roots import merged_roots
from services.profile.ports.records import Decision, Mark
from services.profile.ports.store import ProfileStore
from services.profile.reviewing import REVIEW, with_cases_of_now

MERGE, SPLIT, DETACH, ATTACH, SEPARATE = "merge", "split", "detach", "attach", "separate"
MAX_REASON = 500
MOST_CASES = 10_000


class Said(NamedTuple):
    """Who decides, why, and when (ms)."""

    actor: str
    reason: str
    at: int


class Decide:
    """Methods raise `Rejected` for what cannot be decided, `Contended`, `Unavailable`; nothing is written then."""

    def __init__(self, store: ProfileStore, fold: Fold, limits: Mapping[str, int]) -> None:
        self._store, self._limits, self._linking = store, limits, Linking(limits, fold)

    async def merge(self, left: str, right: str, said: Said) -> Decision:
        """The two customers are one, until the decision is undone."""
        first = await self._customer(left, "customer_ids[0]")
        second = await self._customer(right, "customer_ids[1]")
        if first == second:
            raise Rejected("already_one", "these are one customer already", "customer_ids")
        if kind_of(first) in COLLECTIVES or kind_of(second) in COLLECTIVES:
            raise Rejected("not_mergeable", "a household or group is joined and left, not merged", "customer_ids")
        decision = _decision(MERGE, tuple(sorted((first, second))), said)
        await again_when_contended(lambda: self._regroup(decision, (first, second)))
        return decision

    async def split(self, customer_id: str, said: Said) -> Decision:
        """Undoes the customer's only merge. If there are several, one has to be named: see `undo`."""
        merges = await self._merges(await merged_roots(self._store, await self._customer(customer_id)))
        if len(merges) != 1:
            named = ", ".join(one.decision_id for one in merges) or "none stands"
            raise Rejected("not_one_merge", f"name the merge to undo ({named})", "decision_id")
        return await self.undo(merges[0].decision_id, said)

    async def detach(self, customer_id: str, subject: str, said: Said) -> Decision:
        """The subject does not belong to the customer any more, for all its past."""
        roots = await merged_roots(self._store, await self._customer(customer_id))
        within = {one.subject for one in await self._store.memberships(roots)} | set(roots)
        led = [link for link in await self._store.links([subject]) if link.target in within and not link.barred]
        if not led:
            raise Rejected("not_linked", "no link leads from this subject to the customer", "subject")
        decision = _decision(DETACH, tuple(sorted({subject, *(link.target for link in led)})), said)
        await self._relink(decision, [bar(link, decision.decision_id, said.at) for link in led])
        return decision

    async def erase(self, customer_id: str, said: Said) -> Decision:
        """The personal values of all that is the customer's own are forgotten, for good."""

        async def roots() -> Sequence[str]:
            found = await merged_roots(self._store, await self._customer(customer_id))
            if kind_of(found[0]) in COLLECTIVES:
                raise Rejected("not_erasable", "a household or group is erased member by member", "customer_id")
            return found

        decided = partial(_decision, ERASE, said=said)
        return await erase_customer(self._store, roots, decided, self._linking)

    async def undo(self, decision_id: str, said: Said, customer_id: str | None = None) -> Decision:
        """`customer_id`: if given, a customer that the decision must concern."""
        found = await self._store.decision(decision_id)
        if found is None or found.kind not in _UNDONE_BY:
            if found is not None and found.kind == ERASE:
                raise Rejected("erased", "what was erased is gone for good", "decision_id")
            raise Rejected("unknown_decision", "no such decision can be undone", "decision_id")
        if customer_id is not None and found not in await self._decisions_of(customer_id):
            raise Rejected("unknown_decision", "no such decision on this customer", "decision_id")
        if not _stands(found, await self._store.decisions_on(found.subjects)):
            raise Rejected("undone", "another decision has undone this one", "decision_id")
        decision = _decision(_UNDONE_BY[found.kind], found.subjects, said, found.decision_id)
        await self.again(decision)
        return decision

    async def again(self, decision: Decision) -> None:
        """Gives effect to a decision as it was taken: now, or by a backtest that replays it."""
        if decision.kind in (MERGE, SPLIT):
            await again_when_contended(lambda: self._regroup(decision, decision.subjects))
            return
        if decision.kind == ERASE:
            await again_when_contended(lambda: self._erase_again(decision))
            return
        links = await self._store.links(decision.subjects)
        if decision.kind == DETACH:
            led = [link for link in links if link.target in decision.subjects and not link.barred]
            await self._relink(decision, [bar(link, decision.decision_id, decision.at) for link in led])
        elif decision.kind == ATTACH:
            barred = [link for link in links if _is_barred_by(link, decision.undoes)]
            await self._relink(decision, [lift(link, decision.decision_id, decision.at) for link in barred])
        else:
            await self._store.decide(decision, [], [])

    async def _erase_again(self, decision: Decision) -> None:
        async with self._store.updating() as tx:
            seen = await lock_and_see(tx, decision.subjects, self._limits)
            await erase(tx, decision, seen, self._linking)

    async def reviews(self, limit: int) -> list[Decision]:
        """Open cases, oldest first, without those that a merge or what has been told since has settled."""
        cases: list[Decision] = []
        for one in await with_cases_of_now(self._store, await self._store.reviews(MOST_CASES), self._limits):
            if not await self._one(one.subjects):
                cases.append(one)
            if len(cases) == limit:
                break
        return cases

    async def keep_apart(self, review_id: str, said: Said) -> Decision:
        """The two of a review case are different people."""
        case = await self._store.decision(review_id)
        if case is None or case.kind != REVIEW or not _stands(case, await self._store.decisions_on(case.subjects)):
            raise Rejected("unknown_decision", "no such review case is open", "review_id")
        decision = _decision(SEPARATE, case.subjects, said, review_id)
        await self._store.decide(decision, [], [])
        return decision

    async def _customer(self, customer_id: str, field: str = "customer_id") -> str:
        """The root that names the customer now. `field`: the parameter that held the id."""
        async with self._store.customers() as look:
            now = [one for one in await look.resolve_alias(customer_id) if one.is_live or one.waits]
        if not now:
            raise Rejected("unknown_customer", "no such customer", field)
        if now[1:]:
            several = "this former id stands for several customers: name one of them"
            raise Rejected("several_customers", several, field)
        return now[0].lead

    async def _decisions_of(self, customer_id: str) -> list[Decision]:
        roots = await merged_roots(self._store, await self._customer(customer_id))
        members = {one.subject for one in await self._store.memberships(roots)}
        return await self._store.decisions_on(sorted(members | set(roots)))

    async def _one(self, roots: Sequence[str]) -> bool:
        leads = {(await merged_roots(self._store, root))[0] for root in roots}
        return len(leads) == 1

    async def _merges(self, roots: Sequence[str]) -> list[Decision]:
        return standing_merges(await self._store.decisions_on(roots))

    async def _regroup(self, decision: Decision, roots: Sequence[str]) -> None:
        """Recomputes the clusters around `roots` from all merges that stand, this decision included."""
        stood = {cluster.lead: cluster for root in roots if (cluster := await self._store.cluster(root)) is not None}
        members = sorted({root for cluster in stood.values() for root in cluster.roots})
        merges = [one for one in await self._merges(members) if one.decision_id != decision.undoes]
        pairs = [pair_of(one) for one in (*merges, *([decision] if decision.kind == MERGE else ()))]
        await self._store.decide(decision, clusters(pairs), sorted(stood))

    async def _relink(self, decision: Decision, links: Sequence[Link]) -> None:
        async def once() -> None:
            async with self._store.updating() as tx:
                await tx.record([decision])
                wanted = dict.fromkeys(await reach(tx, links), frozenset[int]())
                locked = await tx.lock_subjects(wanted)
                linked = await self._linking.link(tx, links, locked, decision.at)
                await tx.save_subjects([locked[subject] for subject in sorted(linked.moved)])
                await tx.mark([Mark(root, 0) for root in sorted(linked.roots)])

        await again_when_contended(once)


_UNDONE_BY = {MERGE: SPLIT, DETACH: ATTACH}


def _decision(kind: str, subjects: tuple[str, ...], said: Said, undoes: str | None = None) -> Decision:
    reason = said.reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise Rejected("invalid_value", f"a reason of 1 to {MAX_REASON} characters is expected", "reason")
    if wrong := unfit(reason, MAX_REASON):
        raise Rejected("invalid_value", wrong, "reason")
    return Decision("dec_" + secrets.token_hex(12), kind, subjects, said.actor, reason, said.at, undoes)


def standing_merges(decisions: Collection[Decision]) -> list[Decision]:
    return [one for one in decisions if one.kind == MERGE and _stands(one, decisions)]


def _stands(decision: Decision, known: Iterable[Decision]) -> bool:
    return not any(one.undoes == decision.decision_id for one in known)


def pair_of(merge: Decision) -> tuple[str, str]:
    return merge.subjects[0], merge.subjects[1]


def _is_barred_by(link: Link, decision_id: str | None) -> bool:
    return link.barred and link.barred_by.partition("/")[2] == decision_id
