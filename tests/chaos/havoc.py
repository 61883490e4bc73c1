"""A seeded schedule of failures: who is struck, how, and when."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import asyncpg

from schemas.identifiers import SUBJECT_LIMITS
from services.failures import Contended, Rejected, Unavailable
from services.profile.adapters.sql import SqlProfileStore
from services.profile.decide import Decide, Said
from services.profile.domain.identity.customer_ids import customer_id
from services.sql.session import reading
from tests.chaos.workers import KINDS, Crew, WorkerProcess
from tests.conftest import RunningServers
from tests.profile.told import SECRET, new_fold

PAST_SESSION_S = 8.0
LEAST_WORKERS, MOST_WORKERS = 2, 3
"""Of each kind."""
_PARTIES = "select lead from views where state = 'live' and lead like 'party:%' order by lead"
FAULTS = (
    "kill", "kill", "term", "pause", "pause", "scale out", "restart", "freeze", "scale in", "lock", "end sessions",
)  # fmt: skip
LOCKED_S = 4.0
"""Longer than any worker waits for a lock."""
_TABLES = "select tablename from pg_tables where schemaname = 'public' order by tablename"
_END_SESSIONS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5"""
DECISIONS = ("merge", "merge", "undo", "detach", "detach", "erase")
FEW = 6
"""A short run may be over before there are customers: so many decisions are made all the same."""


class Havoc:
    """`tell` prints. `fail_every`: of the transactions of every worker started here."""

    def __init__(
        self, seed: int, crew: Crew, servers: RunningServers, fail_every: int, tell: Callable[[str], None]
    ) -> None:
        self._random, self._crew, self._servers, self._tell = Random(seed), crew, servers, tell
        self._environment = {"CHAOS_FAIL_EVERY": str(fail_every)}
        self._healing: set[asyncio.Task[None]] = set()
        self.done: dict[str, int] = {}

    def start_worker(self, kind: str) -> None:
        self._crew.start(kind, **self._environment)

    async def rage(self, seconds: float, mean_gap: float = 2.5) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        await asyncio.sleep(3.0)  # the first workers are joining
        while (left := end - loop.time()) > 0:
            for dead in self._crew.deaths():
                self._note("died by itself", f"{dead.name}, exit code {dead.exit_code}")
            for kind in KINDS:
                while len(self._crew.working(kind)) < LEAST_WORKERS:
                    self.start_worker(kind)
            await self._strike(self._random.choice(FAULTS))
            await asyncio.sleep(min(left, self._random.expovariate(1 / mean_gap)))
        await asyncio.gather(*self._healing)

    async def _strike(self, fault: str) -> None:
        kind = self._random.choice(KINDS)
        working = self._crew.working(kind)
        victim = self._random.choice(working) if working else None
        if fault == "restart":
            await self._restart_postgres()
        elif fault == "lock":
            self._heal(self._lock_a_table())
        elif fault == "end sessions":
            await self._end_sessions()
        elif fault == "scale out":
            if len(working) < MOST_WORKERS:
                self.start_worker(kind)
                self._note(fault, self._crew.all[-1].name)
        elif victim is not None and not (fault == "scale in" and len(working) <= LEAST_WORKERS):
            self._note(fault, victim.name)
            self._heal(getattr(self, "_" + fault.replace(" ", "_"))(victim))

    async def _kill(self, victim: WorkerProcess) -> None:
        victim.kill()

    async def _term(self, victim: WorkerProcess) -> None:
        if not await asyncio.to_thread(victim.stop_within, 20.0):
            self._note("did not stop within 20 s", victim.name)
            victim.kill()

    _scale_in = _term

    async def _pause(self, victim: WorkerProcess) -> None:
        victim.frozen = True
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(PAST_SESSION_S)
        victim.signal(signal.SIGCONT)
        victim.frozen = False

    async def _freeze(self, victim: WorkerProcess) -> None:
        """Inside its next transaction, and it never comes back."""
        victim.frozen = victim.expected_to_end = True
        victim.signal(signal.SIGUSR1)

    async def _restart_postgres(self) -> None:
        fast = self._random.random() < 0.5
        self._note("restart", "PostgreSQL, " + ("in good order" if fast else "by kill -9"))
        await asyncio.to_thread(self._servers.stop if fast else self._servers.kill, "postgres")
        await asyncio.sleep(self._random.uniform(0.2, 2.0))
        await asyncio.to_thread(self._servers.start, "postgres")

    async def _lock_a_table(self) -> None:
        """As VACUUM FULL or ALTER TABLE do."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # it may be restarted meanwhile
            connection = await asyncpg.connect(self._servers.url("postgres"))
            table = self._random.choice([row[0] for row in await connection.fetch(_TABLES)])
            self._note("lock", table)
            await connection.execute(f"begin; lock table {table} in access exclusive mode")
            await asyncio.sleep(LOCKED_S)
            await connection.close()

    async def _end_sessions(self) -> None:
        with suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(self._servers.url("postgres"))
            self._note("end sessions", f"{await connection.fetchval(_END_SESSIONS)} of PostgreSQL")
            await connection.close()

    def _heal(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.create_task(work)
        self._healing.add(task)
        task.add_done_callback(self._healing.discard)

    def _note(self, what: str, whom: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1
        self._tell(f"{what}: {whom}")


class Staff:
    """People who merge, split, detach, attach and erase customers while events flow."""

    def __init__(self, seed: int, store: SqlProfileStore) -> None:
        self._random, self._store = Random(seed + 1), store
        self._decide = Decide(store, new_fold(), SUBJECT_LIMITS)
        self._merges: list[str] = []
        self._clock = 0
        self.done: dict[str, int] = {}

    async def decide(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end or (self._decided() < FEW and loop.time() < end + 30):
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            try:
                await self._one()
            except (Rejected, Contended, Unavailable) as refused:
                name = refused.reason if isinstance(refused, Rejected) else type(refused).__name__.lower()
                self.done[name] = self.done.get(name, 0) + 1

    def _decided(self) -> int:
        return sum(self.done.get(kind, 0) for kind in set(DECISIONS))

    async def _one(self) -> None:
        self._clock += 1
        said = Said("chaos", "because we can", 1_700_000_000_000 + self._clock)
        kind = self._random.choice(DECISIONS)
        if kind == "undo":
            if not self._merges:
                return
            merged = self._merges.pop(self._random.randrange(len(self._merges)))
            await self._decide.undo(merged, said)
        elif kind == "merge":
            left, right = await self._parties(2)
            made = await self._decide.merge(customer_id(left, SECRET), customer_id(right, SECRET), said)
            self._merges.append(made.decision_id)
        elif kind == "erase":
            (party,) = await self._parties(1)
            await self._decide.erase(customer_id(party, SECRET), said._replace(at=time.time_ns() // 1_000_000))
        else:
            await self._detach(said)
        self.done[kind] = self.done.get(kind, 0) + 1

    async def _detach(self, said: Said) -> None:
        [party] = await self._parties(1)
        below = [one.subject for one in await self._store.links_to([party])]
        if below:
            made = await self._decide.detach(customer_id(party, SECRET), self._random.choice(sorted(below)), said)
            self._merges.append(made.decision_id)

    async def _parties(self, count: int) -> list[str]:
        async with reading(self._store._database) as session:
            found = await session.rows(
                "select lead from views where state = 'live' and lead like 'party:%' order by lead"
            )
        if len(found) < count:
            raise Rejected("too_few", "no customers yet")
        return self._random.sample([row[0] for row in found], count)
