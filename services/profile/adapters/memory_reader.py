"""What readers ask of the store in memory."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy

from services.profile.adapters import memory_personal
from services.profile.adapters.every_store.old_events import is_aged
from services.profile.adapters.every_store.roots import counted_parents
from services.profile.adapters.memory_customers import MemoryCustomers, clusters_of, memberships_around
from services.profile.adapters.memory_tables import SubjectRow, Tables
from services.profile.adapters.memory_timeline import passes
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.links import Cluster, Link, Membership, cluster_of, kind_of
from services.profile.ports.reading import COUNTED, EVERY, Called, Cursor, Resolved, TimelineFilter
from services.profile.ports.records import BaseRow, Decision, Placement, StoredDeadLetter, StoredView, TimelineRow


class MemoryLook(MemoryCustomers):
    """See `Look`."""

    async def resolve(self, subjects: Sequence[str]) -> list[Resolved]:
        return _resolved(self._tables, subjects)

    async def resolve_alias(self, alias: str) -> list[Resolved]:
        named = {row.subject for row in self._tables.subjects.by("alias", [alias])}
        named |= {view.lead for view in self._tables.views.by("customer_id", [alias])}
        return _resolved(self._tables, named)


class MemoryReader:
    """See `ProfileReader`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    @asynccontextmanager
    async def customers(self) -> AsyncIterator[MemoryLook]:
        async with self._tables.turn() as tables:
            yield MemoryLook(tables)

    async def view(self, customer_id: str) -> StoredView | None:
        async with self._tables.turn() as tables:
            return next((copy(view) for view in tables.views.by("customer_id", [customer_id])), None)

    async def called(self, customer_ids: Sequence[str]) -> list[Called]:
        async with self._tables.turn() as tables:
            found = tables.views.by("customer_id", customer_ids)
            return [Called(one.customer_id, one.lead, one.name_ref, one.is_live) for one in found]

    async def customers_of(self, subject: str) -> list[str]:
        async with self._tables.turn() as tables:
            return sorted(_customer_id(tables, one) for one in _resolved(tables, [subject]) if one.waits or one.is_live)

    async def parties_told(self, ref: str, limit: int) -> list[str]:
        async with self._tables.turn() as tables:
            subjects = sorted(subject for _, subject in tables.personal_subjects.by("ref", [ref]))
        return [subject for subject in subjects if kind_of(subject) == "party"][:limit]

    async def personal(self, refs: Sequence[str], told_of: Sequence[str] | None = None) -> Mapping[str, str]:
        async with self._tables.turn() as tables:
            found = [row for ref in refs if (row := tables.personal.get(ref)) is not None]
            if told_of is not None:
                pairs = tables.personal_subjects.by("ref", [row.ref for row in found])
                told = {ref for ref, subject in pairs if subject in told_of}
                found = [row for row in found if row.ref in told]
            return {row.ref: row.value for row in found}

    async def erased(self, subjects: Sequence[str]) -> Mapping[str, int]:
        async with self._tables.turn() as tables:
            return memory_personal.erased(tables, subjects)

    async def timeline(
        self, spans: Sequence[tuple[str, int, int]], before: Cursor | None, where: TimelineFilter, limit: int
    ) -> list[TimelineRow]:
        async with self._tables.turn() as tables:
            found = [
                row
                for subject, since, until in spans
                for row in tables.timeline.by("subject", [subject])
                if since <= row.occurred_at < until and passes(row, before, where)
            ]
        return sorted(found, key=lambda row: row[1:4], reverse=True)[:limit]

    async def timeline_page(self, after: tuple[str, int, int, bytes], limit: int) -> list[TimelineRow]:
        async with self._tables.turn() as tables:
            return sorted(row for row in tables.timeline.rows() if row[:4] > after)[:limit]

    async def memberships(self, roots: Sequence[str]) -> list[Membership]:
        async with self._tables.turn() as tables:
            return memberships_around(tables, roots)

    async def links(self, subjects: Sequence[str]) -> list[Link]:
        async with self._tables.turn() as tables:
            return sorted(tables.links.by("subject", subjects), key=lambda link: link.key)

    async def links_to(self, targets: Sequence[str]) -> list[Link]:
        async with self._tables.turn() as tables:
            return sorted(tables.links.by("target", targets), key=lambda link: link.key)

    async def decision(self, decision_id: str) -> Decision | None:
        async with self._tables.turn() as tables:
            return tables.decisions.get(decision_id)

    async def decisions_on(self, subjects: Sequence[str]) -> list[Decision]:
        async with self._tables.turn() as tables:
            return _decisions_on(tables, subjects)

    async def decisions_taken(self, until: int) -> list[Decision]:
        async with self._tables.turn() as tables:
            found = [one for one in tables.decisions.rows() if one.kind != "review" and one.at < until]
        return sorted(found, key=lambda one: (one.at, one.decision_id))

    async def placements_page(self, after: tuple[str, int], limit: int) -> list[Placement]:
        async with self._tables.turn() as tables:
            return sorted(one for one in tables.placements.rows() if one[:2] > after)[:limit]

    async def bases_page(self, after: str, limit: int) -> list[BaseRow]:
        async with self._tables.turn() as tables:
            return sorted(one for one in tables.bases.rows() if one.subject > after)[:limit]

    async def links_page(self, after: tuple[str, str, str], limit: int) -> list[Link]:
        async with self._tables.turn() as tables:
            return sorted((one for one in tables.links.rows() if one.key > after), key=lambda one: one.key)[:limit]

    async def cluster(self, root: str) -> Cluster | None:
        async with self._tables.turn() as tables:
            return clusters_of(tables, [root]).get(root)

    async def reviews(self, limit: int) -> list[Decision]:
        async with self._tables.turn() as tables:
            undone = {decision.undoes for decision in tables.decisions.rows()}
            found = [one for one in tables.decisions.rows() if one.kind == "review" and one.decision_id not in undone]
        return sorted(found, key=lambda one: (one.at, one.decision_id))[:limit]

    async def dead_letters(
        self, limit: int, state: str, reason: str | None = None, source: str | None = None
    ) -> list[StoredDeadLetter]:
        async with self._tables.turn() as tables:
            found = [letter for letter in tables.dead_letters.rows() if letter.state == state]
        found = [one for one in found if reason in (None, one.reason) and source in (None, one.source)]
        return sorted(found, key=lambda letter: (-letter.at, letter.letter_id))[:limit]

    async def dead_letter(self, letter_id: str) -> StoredDeadLetter | None:
        async with self._tables.turn() as tables:
            return copy(tables.dead_letters.get(letter_id))

    async def sources_seen(self) -> list[SourceSeen]:
        async with self._tables.turn() as tables:
            return sorted(tables.sources_seen.rows(), key=lambda seen: (seen.source, seen.partition))

    async def page_behind(self, after: str, fold_version: int, limit: int) -> tuple[list[str], str | None]:
        async with self._tables.turn() as tables:
            page = _page(tables, after, limit)
            return [row.subject for row in page if _is_behind(row, fold_version)], page[-1].subject if page else None

    async def page_to_age(self, after: str, before: int, month: int, limit: int) -> tuple[list[str], str | None]:
        async with self._tables.turn() as tables:
            page = [row.subject for row in _page(tables, after, limit)]
            old = [one for one in page if _is_old(tables, one, before, month)]
            return old, page[-1] if page else None

    async def count_behind(self, fold_version: int, most: int = EVERY) -> int:
        async with self._tables.turn() as tables:
            return min(most, sum(_is_behind(row, fold_version) for row in tables.subjects.rows()))

    async def newest_fold(self) -> int:
        async with self._tables.turn() as tables:
            return max((row.fold_version for row in tables.subjects.rows()), default=0)

    async def counts(self, of: Sequence[str] = COUNTED) -> dict[str, int]:
        async with self._tables.turn() as tables:
            counted = {
                "customers": sum(view.is_live for view in tables.views.rows()),
                "subjects": len(tables.subjects),
                "events": len(tables.timeline),
                "marks": len(tables.marks),
                "dead_letters": sum(letter.state == "open" for letter in tables.dead_letters.rows()),
            }
            return {name: counted[name] for name in of}


def _resolved(tables: Tables, subjects: Iterable[str]) -> list[Resolved]:
    found = []
    for subject in sorted(set(subjects)):
        roots = counted_parents(tables.memberships.by("subject", [subject]), [subject])[subject] or [subject]
        clusters = clusters_of(tables, roots)
        for one in sorted({clusters.get(root) or cluster_of([root]) for root in roots}):
            view, marks = tables.views.get(one.lead), tables.marks.by("mark.root", {one.lead, *one.roots})
            found.append(Resolved(subject, one.lead, copy(view), bool(marks)))
    return found


def _customer_id(tables: Tables, one: Resolved) -> str:
    row = tables.subjects.get(one.lead)
    return row.alias if row is not None else one.view.customer_id if one.view is not None else ""


def _page(tables: Tables, after: str, limit: int) -> list[SubjectRow]:
    following = (row for row in tables.subjects.rows() if row.subject > after)
    return sorted(following, key=lambda row: row.subject)[:limit]


def _is_behind(row: SubjectRow, fold_version: int) -> bool:
    return 0 < row.fold_version < fold_version


def _is_old(tables: Tables, subject: str, before: int, month: int) -> bool:
    aged = any(is_aged(row, before) for row in tables.timeline.by("subject", [subject]))
    return aged or any(part.month < month for part in tables.parts.by("subject", [subject]))


def _decisions_on(tables: Tables, subjects: Sequence[str]) -> list[Decision]:
    wanted = set(subjects)
    found = [decision for decision in tables.decisions.rows() if wanted & set(decision.subjects)]
    return sorted(found, key=lambda decision: (decision.at, decision.decision_id))
