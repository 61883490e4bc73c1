"""A profile behind HTTP: real events are admitted, updated and refreshed in the memory store, then read by a client."""

import itertools
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import httpx
import msgspec

from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.receipt import encode_receipt
from schemas.topics import CHANNEL_EVENTS
from services.access import Access, Role, create_user
from services.log import Batch, Record
from services.notifications import LocalNotifications
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.adapters.policies import Declarations, load_declarations
from services.profile.decide import Decide
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.customers.freshness import Patience
from services.profile.domain.facts.catalogue import catalogue
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from services.profile.read import Read
from services.profile.refresh import Refresh
from services.profile.reload import CurrentPolicy
from services.profile.resting import Resting
from services.profile.update import Update
from services.profile.web import Backend, profile_app
from services.web.staff import mounted
from tests.clocks import ManualClock
from tests.ingest.bank import NAMING, NOW, SECRET, admit, rules, terms
from tests.users import MemoryUserStore

CATALOGUE = load_catalogue()
DAY = 86_400_000
Event = dict[str, Any]


@cache
def declared() -> Declarations:
    return load_declarations()


class Bank:
    """One partition; `tell` makes events visible, `take` only updates, `refresh` refreshes."""

    def __init__(self, store: MemoryProfileStore) -> None:
        declarations = declared()
        self.store, self.clock, self.users = store, ManualClock(NOW), MemoryUserStore()
        self.notifications = LocalNotifications()
        self.policy = CurrentPolicy(declarations.policy)
        self.id_of = partial(customer_id, secret=SECRET)
        fold = Fold(CATALOGUE, Counting(declarations.series), declarations.series.version)
        self._update = Update(store, fold, CATALOGUE, SECRET, SUBJECT_LIMITS)
        self._refresh = Refresh(store, self.policy, Completeness, self.id_of, Resting(0, 0))
        self._numbers, self._next = itertools.count(1), 0
        self.monotonic = 0.0
        facts = {one.name: one for one in catalogue(declarations.policy.measures)}
        self.access = Access(self.users, lambda: self.monotonic, lambda: 0)
        self.read = Read(store, CATALOGUE, NAMING, self.policy, self.clock.now_ms)
        backend = Backend(
            self.read, Decide(store, fold, SUBJECT_LIMITS), self.access, self.notifications, self.clock,
            SUBJECT_LIMITS, facts, Patience(1, 60_000, 3_600_000),
        )  # fmt: skip
        self.litestar = profile_app(backend)
        self.app = mounted(self.litestar)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://bank.test")

    async def sign_in(self, role: Role) -> httpx.AsyncClient:
        """A client of its own, with the token of a new user named after the role."""
        token, _ = await create_user(self.users, role, role, self.clock.now_ms())
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://bank.test",
            headers={"authorization": f"Bearer {token}"},
        )

    def admitted(self, event: Event) -> ChannelEvent:
        given = {"id": f"e-{next(self._numbers)}", "occurred_at": "2026-11-20T10:00:00+08:00", **event}
        return admit(msgspec.json.encode(given), terms("*"), rules(accept_unknown_types=True), self.clock.now_ms())

    async def take(self, events: Sequence[Event]) -> str:
        """Updates with a batch of events; returns the receipt that ingest would have given."""
        encoded = [encode_event(self.admitted(event)) for event in events]
        start = self._next
        records = [Record(start + place, NOW, b"", value) for place, value in enumerate(encoded)]
        self._next += len(records)
        batch = Batch(CHANNEL_EVENTS.name, "topic", 0, start, self._next, records)
        await self._update.apply([batch], self.clock.now_ms())
        return encode_receipt([(0, self._next - 1)])

    def next_receipt(self, events: int = 1) -> str:
        """The receipt of events that are in the log and not updated yet."""
        return encode_receipt([(0, self._next + events - 1)])

    async def refresh(self) -> list[str]:
        """Until no mark waits; returns the customers that changed, and tells live screens."""
        changed: list[str] = []
        for shard in await self.store.lease("test", 60_000):
            while (done := await self._refresh.apply([shard], 100, self.clock.now_ms())).marks:
                [shard] = done.shards
                changed += done.changed
        await self.notifications.publish([(f"customer/{one}", b"changed") for one in changed])
        return changed + (await self.refresh() if await self.store.marks_waiting() else [])

    async def tell(self, *events: Event) -> str:
        receipt = await self.take(events)
        await self.refresh()
        return receipt


async def open_bank() -> Bank:
    return Bank(MemoryProfileStore(partial(customer_id, secret=SECRET)))


def event(event_type: str, identifiers: Mapping[str, str], **fields: Any) -> Event:
    """`fields` that no event has are attributes."""
    own = {"id", "occurred_at", "sequence", "channel", "actor", "amount", "direction", "balance_after", "counterparty"}
    attributes = {name: value for name, value in fields.items() if name not in own}
    plain = {name: value for name, value in fields.items() if name in own}
    made: Event = {"type": event_type, "channel": "corebank", "identifiers": dict(identifiers), **plain}
    return {**made, "attributes": attributes} if attributes else made


def registered(customer_no: str, name: str = "", **fields: str) -> Event:
    told = {kind: fields.pop(kind) for kind in ("phone", "email", "national_id", "login") if kind in fields}
    fields.setdefault("kind", "person")
    return event(
        "customer.registered", {"customer_no": customer_no} | told, name=name or f"Name {customer_no}", **fields
    )


def opened(account_no: str, customer_no: str, **fields: Any) -> Event:
    return event("account.opened", {"account_no": account_no, "customer_no": customer_no}, **fields)


def posted(account_no: str, value: str = "100.00", **fields: Any) -> Event:
    fields = {"direction": "credit", "amount": {"value": value, "currency": "CNY"}, **fields}
    return event("transaction.posted", {"account_no": account_no}, **fields)
