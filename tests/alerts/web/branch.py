"""A branch at work: statements are evaluated in the memory store, people work the inbox by HTTP."""

import itertools
from collections.abc import Collection
from typing import Any

import httpx
import msgspec

from schemas.changes import ProfileChange
from schemas.codec import encode_change
from schemas.topics import PROFILE_CHANGES
from services.access import Access, Role, create_user
from services.alerts.act import Act
from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.current import Current
from services.alerts.domain.alert import Alert, Evidence
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.routing import Staff
from services.alerts.domain.rules import Desk
from services.alerts.evaluate import Evaluate
from services.alerts.screens import told
from services.alerts.staff import staff_of
from services.alerts.web import Backend, Stated, alerts_app
from services.failures import Unavailable
from services.log import Batch, Record
from services.notifications import LocalNotifications
from services.web.staff import mounted
from tests.alerts.told import CEL, COMPLAINT, DAY, MISSED, NOON, OUTFLOW, SAVINGS, rules, statement
from tests.clocks import ManualClock
from tests.users import MemoryUserStore

RULES = rules(MISSED, OUTFLOW, SAVINGS, COMPLAINT)
LEAVING: dict[str, Any] = {"has_salary": True, "salary_missed": 1.0, "assets": 80_000.0}


class Branch:
    def __init__(self, declared: RuleSet = RULES) -> None:
        self.store, self.clock, self.users = MemoryAlertStore(), ManualClock(NOON + DAY), MemoryUserStore()
        self.notifications, self.monotonic = LocalNotifications(), 0.0
        self.current = Current(declared, Desk(), lambda day: (day + 3) % 7 < 5)
        self.staff = Staff(frozenset({"M-1", "M-2"}), frozenset({"BJ-1"}), frozenset({"M-8"}))
        self.act = Act(self.store, self.current, self.clock, self._staff_now)
        self._evaluate, self._numbers = Evaluate(self.store, CEL, self.current), itertools.count()
        self.asked: list[tuple[str, str]] = []
        self.named: list[list[str]] = []
        self.statements: dict[str, ProfileChange] = {}
        self.behind = set[str]()
        self.names: dict[str, str] = {}
        self.profile_is_away = False
        access = Access(self.users, lambda: self.monotonic, lambda: 0)
        self.backend = Backend(
            self.store, self.act, self.current, CEL, access, self.notifications, self.clock, self._stated,
            self._events_of, self._names,
        )  # fmt: skip
        self.litestar = alerts_app(self.backend)
        self.app = mounted(self.litestar)
        self.client = self._client("")

    async def _staff_now(self) -> Staff:
        return await staff_of(self.store, self.users, self.current.terms.desk, self._of_profile)

    async def _of_profile(self) -> Staff:
        return self.staff

    async def _stated(self, customer_id: str) -> Stated | None:
        change = self.statements.get(customer_id)
        return Stated(change, customer_id not in self.behind) if change else None

    async def _events_of(self, customer_id: str, said: Evidence) -> bytes:
        self.asked.append((customer_id, said.key))
        return msgspec.json.encode({"event": None, "facts": [{"name": name} for name in said.values]})

    async def _names(self, customer_ids: Collection[str]) -> dict[str, str]:
        if self.profile_is_away:
            raise Unavailable("the profile is away")
        self.named.append(sorted(customer_ids))
        return {one: name for one, name in self.names.items() if one in customer_ids}

    def _client(self, token: str) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://bank.test", headers=headers
        )

    async def sign_in(self, role: Role, manager_id: str | None = None, name: str = "") -> httpx.AsyncClient:
        token, _ = await create_user(self.users, name or role, role, 0, manager_id)
        return self._client(token)

    async def hear(self, *changes: ProfileChange) -> None:
        for change in changes:
            self.statements[change.customer_id] = change
            start, value = next(self._numbers), encode_change(change)
            record = Record(start, change.changed_at, change.customer_id.encode(), value)
            batch = Batch(PROFILE_CHANGES.name, "topic", 0, start, start + 1, [record])
            done = await self._evaluate.apply([batch])
            await self.notifications.publish([message for one in done.changed for message in told(one)])

    async def leaving(self, customer_id: str = "c1", **facts: Any) -> Alert:
        """The open alert of a customer whose salary stopped."""
        await self.hear(statement(1, customer_id, **{**LEAVING, **facts}))
        async with self.store.working() as tx:
            return (await tx.alerts_of([customer_id]))[customer_id][0]
