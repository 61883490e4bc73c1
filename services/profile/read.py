"""USE CASE: find customers and show them with everything that update has committed. Nothing is written."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.codec import decode_event
from schemas.events import ChannelEvent
from schemas.instants import instant
from schemas.naming import Naming
from services.failures import Rejected
from services.profile.current import CurrentCustomer, CurrentCustomers
from services.profile.domain.as_sent import as_sent
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.measures import nothing_shown
from services.profile.domain.customers.view import complete_up_to
from services.profile.domain.facts.catalogue import FactDeclared, with_rests
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.identity.links import COUNTED_ROLES, Membership
from services.profile.domain.identity.named import subjects_named
from services.profile.domain.states.personal import reference
from services.profile.domain.value.policy import Policy
from services.profile.gathering import Gathering
from services.profile.merged_roots import merged_roots
from services.profile.ports.reading import Cursor, ProfileReader, TimelineFilter
from services.profile.ports.records import StoredView
from services.profile.statement import stored_facts

MOST_FOUND, MOST_TOLD = 50, 100
_REFERENCE = re.compile(rb'"(p_[0-9a-f]{32})"(?!:)')  # a value; a source may name a member like one
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class CustomerQuery(NamedTuple):
    """A search: subjects by kind of identifier, and the reference of a name."""

    subjects: dict[str, str]
    name_ref: str | None = None


class Found(NamedTuple):
    """`more`: others match, too; a narrower search finds them."""

    customers: list[CurrentCustomer]
    more: bool


class Page(NamedTuple):
    """`events`: JSON objects, newest first. `after`: None on the last page."""

    events: list[bytes]
    after: Cursor | None


class Read:
    """`completeness` says how far the sources have come now; it moves on while nothing happens to a customer."""

    def __init__(
        self, reader: ProfileReader, catalogue: Mapping[str, EventType], naming: Naming, policy: Callable[[], Policy],
        now_ms: Callable[[], int], completeness: Callable[[], Completeness] = Completeness,
    ) -> None:  # fmt: skip
        self.reader, self.catalogue, self._naming = reader, catalogue, naming
        self._policy, self._completeness = policy, completeness
        gathering = Gathering(completeness, partial(customer_id, secret=naming.secret))
        self._current = CurrentCustomers(gathering, policy, now_ms)

    def query(self, identifiers: Mapping[str, str], name: str | None = None) -> CustomerQuery:
        """Raises `Rejected` naming the identifier, or where nobody is asked for."""
        if not identifiers and not name:
            raise Rejected("missing_field", "give at least one identifier, or a name")
        subjects = subjects_named(identifiers, self._naming)
        return CustomerQuery(subjects, reference(name, self._naming.secret) if name else None)

    async def find(self, query: CustomerQuery) -> Found:
        """Customers that match any of it, those first that match most. Raises `Rejected` as `by_id` does."""
        parties = await self.reader.parties_told(query.name_ref, MOST_TOLD) if query.name_ref else []
        named = set(query.subjects.values())
        async with self.reader.customers() as look:
            resolved = await look.resolve(sorted(named | set(parties)))
            found, left_out = await self._current.views(look, resolved)
        hits = Counter(one.lead for one in resolved if one.subject in named)
        hits.update(one.view.lead for one in found if query.name_ref and one.view.name_ref == query.name_ref)
        best = [one for one in found if hits[one.view.lead]]
        best.sort(key=lambda one: (-hits[one.view.lead], one.view.customer_id))
        return Found(best[:MOST_FOUND], left_out or len(best) > MOST_FOUND or len(parties) >= MOST_TOLD)

    async def by_id(self, customer_id: str) -> list[CurrentCustomer]:
        """The customers that this id stands for now: itself, or for a former id none, one or several. Raises `Rejected`
        if the only one can be neither combined nor shown as stored."""
        async with self.reader.customers() as look:
            return (await self._current.views(look, await look.resolve_alias(customer_id)))[0]

    async def by_id_with_facts(self, customer_id: str) -> list[CurrentCustomer]:
        """As `by_id`, and with the facts of now."""
        async with self.reader.customers() as look:
            return (await self._current.with_facts(look, await look.resolve_alias(customer_id)))[0]

    async def shown(self, customers: Sequence[CurrentCustomer]) -> list[bytes]:
        """Each view as JSON, personal values in clear."""
        completeness = self._completeness()
        stored = [_members.decode(one.view.body) for one in customers]
        told_of = [await self.told_of(one.view.lead) if "erased_at" in body else None
                   for one, body in zip(customers, stored, strict=True)]  # fmt: skip
        bodies = [_body(one, body, self._policy(), completeness) for one, body in zip(customers, stored, strict=True)]
        if all(of is None for of in told_of):
            return await self.in_clear(bodies)
        return [(await self.in_clear([body], of))[0] for body, of in zip(bodies, told_of, strict=True)]

    async def told_of(self, lead: str) -> list[str]:
        """Of an erased customer only what its own subjects tell is shown: others may tell of the same persons."""
        roots = await merged_roots(self.reader, lead)
        return [subject for subject, _, _ in spans_of(await self.reader.memberships(roots))]

    async def merged(self, lead: str) -> list[str]:
        """Ids of the customers that people have merged into this one."""
        others = await merged_roots(self.reader, lead)
        return [customer_id(root, self._naming.secret) for root in others if root != lead]

    async def facts(self, customer: CurrentCustomer, declared: Iterable[FactDeclared]) -> bytes:
        """As JSON, including facts at rest. `customer` must come from `by_id_with_facts`."""
        view = customer.view
        told = stored_facts(view)
        moments = [{**msgspec.structs.asdict(one), "occurred_at": instant(one.occurred_at)} for one in told.moments]
        members = {
            "customer_id": view.customer_id, "version": view.version, "as_of": instant(view.changed_at),
            "up_to_date": customer.up_to_date, "values": with_rests(told.values, told.unknown, declared),
            "missing": told.missing, "not_covered": told.not_covered, "moments": moments,
        }  # fmt: skip
        return (await self.in_clear([msgspec.json.encode(members)]))[0]

    async def timeline(self, view: StoredView, before: Cursor | None, where: TimelineFilter, limit: int) -> Page:
        roots = await merged_roots(self.reader, view.lead)
        spans = spans_of(await self.reader.memberships(roots))
        rows = await self.reader.timeline(spans, before, where, limit + 1)
        page, is_last = rows[:limit], len(rows) <= limit
        events = [decode_event(row.event) for row in page]
        tell = await self.teller([event.subject for event in events])
        shown = [msgspec.json.encode(tell(event)) for event in events]
        after = None if is_last else (page[-1].occurred_at, page[-1].sequence, page[-1].key)
        return Page(await self.in_clear(shown), after)

    async def teller(self, subjects: Iterable[str]) -> Callable[[ChannelEvent], dict[str, Any]]:
        """Tells events of these subjects as they were sent, without what was erased."""
        erased = await self.reader.erased(sorted(set(subjects)))
        return lambda one: as_sent(one, self.catalogue.get(one.type), erased.get(one.subject, 0))

    async def in_clear(self, documents: Sequence[bytes], told_of: Sequence[str] | None = None) -> list[bytes]:
        """JSON with references resolved; null where a value was erased. `told_of`: only by what was told of these."""
        refs = sorted({ref.decode() for document in documents for ref in _REFERENCE.findall(document)})
        if not refs:
            return list(documents)
        values = await self.reader.personal(refs, told_of)
        encoded = {ref.encode(): msgspec.json.encode(value) for ref, value in values.items()}
        return [_REFERENCE.sub(lambda found: encoded.get(found[1], b"null"), document) for document in documents]


def _body(
    customer: CurrentCustomer, stored: Mapping[str, msgspec.Raw], policy: Policy, completeness: Completeness
) -> bytes:
    view, body = customer.view, dict[str, Any](stored)
    used = msgspec.json.decode(body["channels"], type=dict[str, Any]) if "channels" in body else ()
    stated: dict[str, Any] = {
        "customer_id": view.customer_id,
        "version": view.version,
        "changed_at": instant(view.changed_at),
        "erased_at": None,
        "up_to_date": customer.up_to_date,
    }
    if "measures" in body:
        counted = _members.decode(body["measures"])
        body["measures"] = nothing_shown(policy.measures, policy.reference.home_currency) | counted
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
