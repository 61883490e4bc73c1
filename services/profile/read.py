"""USE CASE: find customers, and show what is known of them. Nothing is worked out here that refresh has not written."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.codec import decode_event
from schemas.instants import instant
from services.profile.domain.customer import Completeness
from services.profile.domain.links import COUNTED_ROLES, Membership
from services.profile.domain.named import subjects_named
from services.profile.domain.personal import reference
from services.profile.domain.told import told
from services.profile.domain.view import complete_up_to
from services.profile.ports import StoredView, TimelineFilter
from services.profile.waiting import Reader

LIVE = "live"
MOST_FOUND = 50
_REFERENCE = re.compile(rb'"(p_[0-9a-f]{32})"')
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
Cursor = tuple[int, bytes]
"""Where a page of a timeline ended: (occurred_at, ledger key)."""


class Asked(NamedTuple):
    """Whom somebody looks for: subjects by identifier kind, and the reference of a name."""

    subjects: dict[str, str]
    name_ref: str | None = None


class Found(NamedTuple):
    """`more`: others match, too; a narrower question finds them."""

    views: list[StoredView]
    more: bool


class Page(NamedTuple):
    """`events`: JSON objects, newest first. `after`: None on the last page."""

    events: list[bytes]
    after: Cursor | None


class Read:
    """`secret` is the deployment's, `region` (ISO 3166-1) that of phone numbers without a country code. `completeness`
    tells how far the sources have come now: that moves on while nothing happens to a customer."""

    def __init__(
        self,
        reader: Reader,
        catalogue: Mapping[str, EventType],
        secret: bytes,
        completeness: Callable[[], Completeness] = Completeness,
        region: str = "CN",
    ) -> None:
        self.reader, self._catalogue, self._secret, self._region = reader, catalogue, secret, region
        self._completeness = completeness

    def asked(self, identifiers: Mapping[str, str], name: str | None = None) -> Asked:
        """Raises `Rejected` naming the identifier."""
        subjects = subjects_named(identifiers, self._secret, self._region)
        return Asked(subjects, reference(name, self._secret) if name else None)

    async def subjects_of(self, asked: Asked) -> list[str]:
        parties = await self.reader.parties_told(asked.name_ref) if asked.name_ref else []
        return [*asked.subjects.values(), *parties]

    async def find(self, asked: Asked) -> Found:
        """Everybody whom any of it names; first those whom most of it names."""
        hits: dict[str, int] = {}
        for subject in sorted(set(asked.subjects.values())):
            for customer_id in await self.reader.customers_of(subject):
                hits[customer_id] = hits.get(customer_id, 0) + 1
        if asked.name_ref:
            for customer_id in await self.reader.customers_named(asked.name_ref):
                hits[customer_id] = hits.get(customer_id, 0) + 1
        best = sorted(hits, key=lambda customer_id: (-hits[customer_id], customer_id))
        views = [await self.live(customer_id) for customer_id in best[:MOST_FOUND]]
        return Found([view for view in views if view is not None], len(best) > MOST_FOUND)

    async def live(self, customer_id: str) -> StoredView | None:
        view = await self.reader.view(customer_id)
        return view if view is not None and view.state == LIVE else None

    async def subjects_behind(self, customer_id: str) -> list[str]:
        """The subject by which this id names a customer, even where its view is not made yet."""
        view = await self.reader.view(customer_id)
        subject = view.lead if view is not None else await self.reader.subject_named(customer_id)
        return [subject] if subject else []

    async def shown(self, views: Sequence[StoredView]) -> list[bytes]:
        """Each as JSON, personal values in clear."""
        completeness = self._completeness()
        return await self.in_clear([_body(view, completeness) for view in views])

    async def facts(self, view: StoredView) -> bytes:
        stated = {"customer_id": view.customer_id, "version": view.version, "as_of": instant(view.changed_at)}
        members: dict[str, Any] = {**stated, **_members.decode(view.facts)}
        if "moments" in members:
            moments = msgspec.json.decode(members["moments"], type=list[dict[str, Any]])
            members["moments"] = [{**one, "occurred_at": instant(one["occurred_at"])} for one in moments]
        return (await self.in_clear([msgspec.json.encode(members)]))[0]

    async def timeline(self, view: StoredView, before: Cursor | None, where: TimelineFilter, limit: int) -> Page:
        roots = await self.roots(view)
        spans = spans_of(await self.reader.memberships(roots))
        rows = await self.reader.timeline(spans, before, where, limit + 1)
        page = rows[:limit]
        events = [decode_event(row.event) for row in page]
        shown = [msgspec.json.encode(told(event, self._catalogue.get(event.type))) for event in events]
        after = (page[-1].occurred_at, page[-1].key) if len(rows) > limit else None
        return Page(await self.in_clear(shown), after)

    async def roots(self, view: StoredView) -> tuple[str, ...]:
        cluster = await self.reader.cluster(view.lead)
        return cluster.roots if cluster is not None else (view.lead,)

    async def in_clear(self, documents: Sequence[bytes]) -> list[bytes]:
        """JSON with references resolved, as far as they still lead to a value: what is erased stays a reference."""
        refs = sorted({ref.decode() for document in documents for ref in _REFERENCE.findall(document)})
        if not refs:
            return list(documents)
        values = await self.reader.personal(refs)
        encoded = {ref.encode(): msgspec.json.encode(value) for ref, value in values.items()}
        return [_REFERENCE.sub(lambda found: encoded.get(found[1], found[0]), document) for document in documents]


def _body(view: StoredView, completeness: Completeness) -> bytes:
    body = _members.decode(view.body)
    used = msgspec.json.decode(body["channels"], type=dict[str, Any]) if "channels" in body else ()
    stated: dict[str, Any] = {
        "customer_id": view.customer_id,
        "version": view.version,
        "changed_at": instant(view.changed_at),
    }
    heard = {"complete_up_to": complete_up_to(completeness, used), "silent_sources": list(completeness.silent)}
    return msgspec.json.encode({**stated, **body, **heard})


def spans_of(memberships: Iterable[Membership]) -> list[tuple[str, int, int]]:
    """(subject, from, until) in which its events belong to the customer; each event once, whoever shares the subject.
    Those for whom it only acts (an attorney's accounts) are not the customer's own story."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in sorted(memberships, key=lambda one: (one.subject, one.from_at)):
        if one.role not in COUNTED_ROLES:
            continue
        held = spans.setdefault(one.subject, [])
        if held and one.from_at <= held[-1][1]:
            held[-1] = (held[-1][0], max(held[-1][1], one.until_at))
        else:
            held.append((one.from_at, one.until_at))
    return [(subject, since, until) for subject, held in spans.items() for since, until in held]
