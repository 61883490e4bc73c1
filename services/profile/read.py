"""USE CASE: find customers, and show what is known of them: all that update has committed.

Where a mark waits, or the view was written on another day, a customer is combined from its states then and there, as
refresh will do it. Nothing is written, and what has to be decided (tier, owner) is shown as it was last decided. Who
cannot be combined is shown as last written, and said not to be up to date.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog

from schemas.catalogue import EventType
from schemas.codec import decode_event
from schemas.instants import instant
from services.failures import Rejected
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.measures import nothing_shown
from services.profile.domain.customers.view import complete_up_to
from services.profile.domain.facts.catalogue import FactDeclared, with_rests
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.identity.links import COUNTED_ROLES, Cluster, Membership
from services.profile.domain.identity.named import subjects_named
from services.profile.domain.letters import trail_of
from services.profile.domain.states.months import OtherShape
from services.profile.domain.states.personal import reference
from services.profile.domain.summarise import show, summarise
from services.profile.domain.told import told
from services.profile.domain.value.policy import Policy
from services.profile.gathering import Gathering, gathered
from services.profile.lately import Lately, Source
from services.profile.ports import Standing, StoredView, TimelineFilter
from services.profile.statement import LIVE, is_same, shows_the_same, statement_of, told_of, view_of
from services.profile.waiting import Reader

MOST_FOUND, MOST_TOLD = 50, 100
CANNOT_BE_SHOWN = (
    "this customer is known and cannot be shown: a bug met it before it was ever written; a worker tries again each "
    "minute, and `counterpoint doctor` says what to do"
)
_log = structlog.get_logger(__name__)
_REFERENCE = re.compile(rb'"(p_[0-9a-f]{32})"')
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
Cursor = tuple[int, bytes]
"""Where a page of a timeline ended: (occurred_at, ledger key)."""


class Asked(NamedTuple):
    """Whom somebody looks for: subjects by identifier kind, and the reference of a name."""

    subjects: dict[str, str]
    name_ref: str | None = None


class Current(NamedTuple):
    """A customer as it is now. `tag` tells apart whatever differs: the view's version, and what waits beyond it. The
    version is 0 where nothing was ever written. `up_to_date` false: more was committed since, and cannot be shown."""

    view: StoredView
    tag: str
    up_to_date: bool = True


_SumUp = Callable[[Source, int], Current | None]
"""At which time; None where nothing is told of it."""


class Found(NamedTuple):
    """`more`: others match, too; a narrower question finds them."""

    customers: list[Current]
    more: bool


class Page(NamedTuple):
    """`events`: JSON objects, newest first. `after`: None on the last page."""

    events: list[bytes]
    after: Cursor | None


class Read:
    """`secret` is the deployment's, `region` (ISO 3166-1) that of phone numbers without a country code. `completeness`
    tells how far the sources have come now: that moves on while nothing happens to a customer. `now_ms`: the time."""

    def __init__(
        self, reader: Reader, catalogue: Mapping[str, EventType], secret: bytes, policy: Callable[[], Policy],
        now_ms: Callable[[], int], completeness: Callable[[], Completeness] = Completeness, region: str = "CN",
    ) -> None:  # fmt: skip
        self.reader, self.catalogue, self._secret, self._region = reader, catalogue, secret, region
        self._policy, self._now_ms, self._completeness = policy, now_ms, completeness
        self._gathering = Gathering(completeness, lambda subject: customer_id(subject, secret), chooses=False)
        self._lately = Lately[Current]()

    def asked(self, identifiers: Mapping[str, str], name: str | None = None) -> Asked:
        """Raises `Rejected` naming the identifier, or where nobody is asked for."""
        if not identifiers and not name:
            raise Rejected("missing_field", "say whom: an identifier, or a name")
        subjects = subjects_named(identifiers, self._secret, self._region)
        return Asked(subjects, reference(name, self._secret) if name else None)

    async def find(self, asked: Asked) -> Found:
        """Everybody whom any of it names; first those whom most of it names. Raises `Rejected` as `behind` does."""
        told = await self.reader.parties_told(asked.name_ref, MOST_TOLD) if asked.name_ref else []
        named = set(asked.subjects.values())
        standing = await self.reader.standing(sorted(named | set(told)))
        hits = Counter(one.lead for one in standing if one.subject in named)
        found, left_out = await self._as_they_are(standing, self._shown_now)
        hits.update(one.view.lead for one in found if asked.name_ref and one.view.name_ref == asked.name_ref)
        best = [one for one in found if hits[one.view.lead]]
        best.sort(key=lambda one: (-hits[one.view.lead], one.view.customer_id))
        return Found(best[:MOST_FOUND], left_out or len(best) > MOST_FOUND or len(told) >= MOST_TOLD)

    async def behind(self, customer_id: str) -> list[Current]:
        """The customers that this id stands for now: itself, or for a former id none, one or several. Raises `Rejected`
        where nobody is found but who cannot be combined and was never written."""
        return (await self._as_they_are(await self.reader.standing_behind(customer_id), self._shown_now))[0]

    async def told_behind(self, customer_id: str) -> list[Current]:
        """As `behind`, and with the facts of now, which are as much work again as the view."""
        return (await self._as_they_are(await self.reader.standing_behind(customer_id), self._told_now))[0]

    async def _as_they_are(self, standing: Sequence[Standing], sum_up: _SumUp) -> tuple[list[Current], bool]:
        """Each customer once; without those who are none: all that is known of their subjects counts for others. And
        whether somebody had to be left out."""
        customers = {one.lead: one for one in standing}
        waiting = [one for one in customers.values() if one.waits or self._is_of_another_day(one.view)]
        combined, missed = await self._combined(waiting, sum_up) if waiting else ({}, frozenset[str]())
        found = [
            combined[lead] if lead in combined else _as_written(one, behind=lead in missed)
            for lead, one in customers.items()
        ]
        shown = [one for one in found if one is not None]
        left_out = any(_as_written(customers[lead]) is None for lead in missed)
        if left_out and not shown:
            raise Rejected("cannot_be_shown", CANNOT_BE_SHOWN)
        return shown, left_out

    def _is_of_another_day(self, view: StoredView | None) -> bool:
        """Facts that run with the days are written down where they pass what somebody asks for."""
        if view is None or view.state != LIVE:
            return False
        reference = self._policy().reference
        return reference.day_of(view.changed_at) != reference.day_of(self._now_ms())

    async def _combined(
        self, waiting: Sequence[Standing], sum_up: _SumUp
    ) -> tuple[dict[str, Current | None], frozenset[str]]:
        """By lead; and the leads of those who cannot be combined."""
        now, combined = self._now_ms(), dict[str, Current | None]()
        async with self.reader.customers() as rows:
            clusters = await rows.clusters([one.lead for one in waiting])
            wanted = {one.lead: clusters.get(one.lead, Cluster(one.lead, (one.lead,))) for one in waiting}
            found = await gathered(rows, sorted({root for cluster in wanted.values() for root in cluster.roots}))
            context = await self._gathering.context(rows, found.members, now)
        for _, lead, before, _ in waiting:
            try:
                cluster = wanted[lead]
                combined[lead] = sum_up(Source(lead, cluster, found.of(cluster), before, context), now)
            except OtherShape:
                pass  # of another release, until it is rebuilt
            except Exception as bug:
                _log.error("customer not combined", customer=self._gathering.alias_of(lead), error=trail_of(bug))
        return combined, frozenset(wanted.keys() - combined.keys())

    def _shown_now(self, source: Source, now: int) -> Current | None:
        policy, before = self._policy(), source.before
        day = policy.reference.day_of(now)
        if (known := self._lately.of(source, day)) is not None:
            return known
        whole = self._gathering.whole(*source)
        if whole.tells_nothing:
            return None
        view = view_of(whole, show(whole, policy, now), before, now)
        current = _as_combined(before, view, alike=before is not None and shows_the_same(before, view))
        self._lately.note(source, day, current)
        return current

    def _told_now(self, source: Source, now: int) -> Current | None:
        whole, policy, before = self._gathering.whole(*source), self._policy(), source.before
        if whole.tells_nothing:
            return None
        view = statement_of(whole, summarise(whole, policy, now, decides=False), before, now, policy.asked).view
        return _as_combined(before, view, alike=before is not None and is_same(before, view))

    async def shown(self, customers: Sequence[Current]) -> list[bytes]:
        """Each as JSON, personal values in clear."""
        completeness = self._completeness()
        return await self.in_clear([_body(one, self._policy(), completeness) for one in customers])

    async def facts(self, customer: Current, declared: Iterable[FactDeclared]) -> bytes:
        """As JSON, those at rest among them. `customer`: as `told_behind` gave it."""
        view = customer.view
        told = told_of(view)
        moments = [{**msgspec.structs.asdict(one), "occurred_at": instant(one.occurred_at)} for one in told.moments]
        members = {
            "customer_id": view.customer_id, "version": view.version, "as_of": instant(view.changed_at),
            "up_to_date": customer.up_to_date, "values": with_rests(told.values, told.unknown, declared),
            "missing": told.missing, "not_covered": told.not_covered, "moments": moments,
        }  # fmt: skip
        return (await self.in_clear([msgspec.json.encode(members)]))[0]

    async def timeline(self, view: StoredView, before: Cursor | None, where: TimelineFilter, limit: int) -> Page:
        roots = await self.roots(view)
        spans = spans_of(await self.reader.memberships(roots))
        rows = await self.reader.timeline(spans, before, where, limit + 1)
        page = rows[:limit]
        events = [decode_event(row.event) for row in page]
        shown = [msgspec.json.encode(told(event, self.catalogue.get(event.type))) for event in events]
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


def _as_combined(before: StoredView | None, view: StoredView, *, alike: bool) -> Current:
    if before is not None and alike:
        return Current(before, str(before.version))
    view = msgspec.structs.replace(view, version=before.version if before is not None else 0)
    digest = hashlib.blake2b(view.body + view.facts, digest_size=8).hexdigest()
    return Current(view, f"{view.version}+{digest}")


def _as_written(one: Standing, *, behind: bool = False) -> Current | None:
    if one.view is None or one.view.state != LIVE:
        return None
    return Current(one.view, f"{one.view.version}{'+behind' if behind else ''}", not behind)


def _body(customer: Current, policy: Policy, completeness: Completeness) -> bytes:
    view = customer.view
    body: dict[str, Any] = _members.decode(view.body)
    used = msgspec.json.decode(body["channels"], type=dict[str, Any]) if "channels" in body else ()
    stated: dict[str, Any] = {
        "customer_id": view.customer_id,
        "version": view.version,
        "changed_at": instant(view.changed_at),
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
