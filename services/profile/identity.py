"""USE CASE: why these subjects are one customer, and who else they touch."""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.identifiers import KIND_OF_SUBJECT, PERSONAL_KINDS
from schemas.instants import instant
from services.profile.domain.identity.links import Link, Membership, kind_of
from services.profile.domain.identity.memberships import Graph
from services.profile.domain.rendering import instant_or_none
from services.profile.merged_roots import merged_roots
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import Decision, StoredView
from services.profile.read import Read
from services.profile.reviewing import with_cases_of_now

MOST_SUBJECTS = 200


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A link as a source has asserted it. Without `since` it holds from the beginning of time."""

    target: str
    role: str
    source: str
    event_id: str
    since: str | None = None
    ended: list[str] = []
    barred_by: str | None = None


class Belonging(msgspec.Struct, frozen=True, kw_only=True):
    """A subject and its time with this customer. `identifier` is None if only a keyed hash is kept. `customers`: others
    that it counts for now."""

    subject: str
    kind: str
    identifier: str | None
    role: str
    since: str | None
    until: str | None
    because: list[Reason]
    customers: list[str]


class AboveLimit(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier that too many share: it identifies nobody."""

    subject: str
    kind: str
    limit: int
    shared_by: int


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    decision_id: str
    kind: str
    subjects: list[str]
    actor: str
    reason: str
    at: str
    undoes: str | None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """`merged`: customer numbers and other roots that decisions have made one. `cut_off`: how many are not shown."""

    customer_id: str
    version: int
    kind: str
    merged: list[str]
    subjects: list[Belonging]
    above_limit: list[AboveLimit]
    decisions: list[Decided]
    cut_off: int = 0


async def identity(read: Read, view: StoredView, limits: Mapping[str, int]) -> Identity:
    """`limits`: subject kind → how many customers one such identifier may identify."""
    reader = read.reader
    roots = await merged_roots(reader, view.lead)
    memberships = _each_once(await reader.memberships(roots))
    shown = sorted(memberships, key=lambda one: (one.subject not in roots, one.subject, one.from_at))[:MOST_SUBJECTS]
    subjects = sorted({one.subject for one in shown} | set(roots))
    links: dict[str, list[Link]] = {}
    for link in await reader.links(subjects):
        links.setdefault(link.subject, []).append(link)
    decisions = await with_cases_of_now(reader, await reader.decisions_on(subjects), limits)
    others = {subject: await _others(reader, subject, view.customer_id) for subject in subjects}
    return Identity(
        customer_id=view.customer_id, version=view.version, kind=view.kind, merged=list(roots) if roots[1:] else [],
        subjects=[_belonging(one, links.get(one.subject, ()), others[one.subject]) for one in shown],
        above_limit=await _above_limit(reader, subjects, limits),
        decisions=[decided(one) for one in decisions],
        cut_off=len(memberships) - len(shown),
    )  # fmt: skip


def decided(decision: Decision) -> Decided:
    return Decided(
        decision_id=decision.decision_id, kind=decision.kind, subjects=list(decision.subjects), actor=decision.actor,
        reason=decision.reason, at=instant(decision.at), undoes=decision.undoes,
    )  # fmt: skip


def _each_once(memberships: Sequence[Membership]) -> list[Membership]:
    """What two numbers share counts for each of both, and after their merge for one customer."""
    return [*{one._replace(root=""): one for one in memberships}.values()]


async def _others(reader: ProfileReader, subject: str, customer_id: str) -> list[str]:
    return [other for other in await reader.customers_of(subject) if other != customer_id]


def _belonging(membership: Membership, links: Sequence[Link], customers: list[str]) -> Belonging:
    subject, _, value = membership.subject.partition(":")
    kind = KIND_OF_SUBJECT.get(subject, subject)
    return Belonging(
        subject=membership.subject, kind=kind, identifier=None if kind in PERSONAL_KINDS else value,
        role=membership.role, since=instant_or_none(membership.from_at), until=instant_or_none(membership.until_at),
        because=[_reason(link) for link in links], customers=customers,
    )  # fmt: skip


def _reason(link: Link) -> Reason:
    return Reason(
        target=link.target, role=link.role, source=link.source, event_id=link.event_id,
        since=None if link.past else instant_or_none(link.first_at), ended=[instant(at) for at in link.ends],
        barred_by=link.barred_by.partition("/")[2] if link.barred else None,
    )  # fmt: skip


async def _above_limit(reader: ProfileReader, subjects: Sequence[str], limits: Mapping[str, int]) -> list[AboveLimit]:
    """Such an identifier is no member of anybody: it is found by the links that still lead here."""
    leading = {link.subject for link in await reader.links_to(subjects) if kind_of(link.subject) in limits}
    graph = Graph(await reader.links(sorted(leading)), limits)
    shared: dict[str, set[str]] = {subject: set() for subject in sorted(leading) if graph.identifies_nobody(subject)}
    for link in await reader.links(sorted(shared)):
        shared[link.subject].add(link.target)
    return [
        AboveLimit(
            subject=subject, kind=KIND_OF_SUBJECT.get(kind_of(subject), kind_of(subject)),
            limit=limits[kind_of(subject)], shared_by=len(targets),
        )
        for subject, targets in shared.items()
    ]  # fmt: skip
