"""One contract of the alert store, held by memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from services.alerts.adapters.sql import waiting_for_room
from services.alerts.adapters.sql_finding import finding
from services.alerts.adapters.sql_team import open_of
from services.alerts.domain.alert import Alert, Outcome, Step
from services.alerts.domain.editions import Edition
from services.alerts.domain.learning import Learned
from services.alerts.domain.notices import Notice
from services.alerts.domain.rules import RuleDeclared, Text
from services.alerts.domain.standing import Firing, Standing
from services.alerts.domain.team import Closed, Load
from services.alerts.ports import OPEN, AlertFilter, AlertStore, RuleSwitch
from services.failures import Contended, Fenced
from services.log import Move, Position
from services.outbox import OutboxMessage
from services.sql.migrations import upgrade
from services.sql.session import writing
from tests.ports.alert_stores import alert, evidence, other, save, store
from tests.ports.emptied import opened

__all__ = ["other", "store"]
Result = TypeVar("Result")
TWO_OPEN = "alerts_one_open|alerts.customer_id, alerts.situation"


class Interrupted(Exception):  # noqa: N818 - what happens to the transaction
    """Something else went wrong."""


async def outcomes(*work: Awaitable[Result]) -> list[Result | BaseException]:
    return await asyncio.gather(*work, return_exceptions=True)


async def advance(store: AlertStore, start: int, until: int, topic_id: str = "id") -> None:
    async with store.working() as tx:
        await tx.advance([Move("changes", topic_id, 0, start, until)])


async def test_a_position_moves_only_from_where_it_stands(store: AlertStore) -> None:
    await advance(store, 0, 10)
    with pytest.raises(Fenced):
        await advance(store, 0, 10)
    with pytest.raises(Fenced):
        await advance(store, 10, 20, "another topic")
    await advance(store, 10, 20)
    assert await store.positions("changes", [0, 1]) == {0: Position("id", 20)}
    await store.set_position("changes", 0, Position("id", 5))
    await advance(store, 5, 6)


async def test_of_two_workers_on_one_partition_one_is_fenced(store: AlertStore, other: AlertStore) -> None:
    results = await outcomes(advance(store, 0, 10), advance(other, 0, 10))
    assert [type(one) for one in results if one is not None] == [Fenced]


async def test_what_fails_leaves_nothing(store: AlertStore) -> None:
    await save(store, alert("a1"))
    with pytest.raises(Interrupted):
        async with store.working() as tx:
            await tx.advance([Move("changes", "id", 0, 0, 10)])
            await tx.lock(["c1", "c2"])
            await tx.save_standings({"c1": Standing(version=7)})
            await tx.save_alerts([alert("a1", state="claimed"), alert("a2", "c2")], {})
            await tx.send("lane", [OutboxMessage("alerts", b"c1", b"1")], 1)
            raise Interrupted
    assert await store.positions("changes", [0]) == {}
    assert await store.standing("c1") == Standing()
    assert await store.standing("c2") is None
    assert [one.state for one in await store.find(AlertFilter(), None, 9)] == ["new"]
    assert await store.outbox("lane", 9) == []


async def test_what_is_known_of_a_customer_comes_back_whole(store: AlertStore) -> None:
    known = Standing(
        version=3, as_of=4, owner="M-1", firings={"R1": Firing("R1", 7, alert_id="a1")}, cooled={"R1": 9},
        unknown={"R2": ("assets",)},
    )  # fmt: skip
    async with store.working() as tx:
        assert await tx.lock(["c1", "c1"]) == {"c1": Standing()}
        await tx.save_standings({"c1": known})
    assert await store.standing("c1") == known
    async with store.working() as tx:
        assert await tx.lock(["c2", "c1"]) == {"c1": known, "c2": Standing()}


async def test_an_alert_comes_back_whole(store: AlertStore) -> None:
    told = alert(
        "a1", state="closed", rank=1234.5678, severity=3, revision=4, outcome=Outcome(result="sold", product="loan"),
        evidence=[evidence("R1", values={"assets": 1.0, "tier": "gold", "own": True})],
        history=[Step(at=1, actor="Mei", action="claim", state="claimed")],
    )  # fmt: skip
    await save(store, told)
    assert await store.alert("a1") == told
    assert await store.alert("a2") is None
    async with store.working() as tx:
        assert await tx.alert("a1") == told


async def test_the_open_alerts_of_customers_are_told_oldest_first(store: AlertStore) -> None:
    closed = alert("a0", state="closed")
    await save(store, closed, alert("a1", opened_at=9), alert("a2", situation="care"), alert("b1", "c2"))
    async with store.working() as tx:
        found = await tx.alerts_of(["c1", "c2", "c3"])
    assert {one: [told.alert_id for told in alerts] for one, alerts in found.items()} == {
        "c1": ["a2", "a1"], "c2": ["b1"], "c3": [],
    }  # fmt: skip


async def test_the_ended_alerts_of_customers_are_told_apart(store: AlertStore) -> None:
    await save(store, alert("a1"), alert("a3", state="closed"), alert("a2", state="withdrawn"), alert("b1", "c2"))
    async with store.working() as tx:
        assert [one.alert_id for one in await tx.ended_of(["c1", "c2", "c3"])] == ["a2", "a3"]


async def test_a_customer_has_one_open_alert_of_a_situation(store: AlertStore) -> None:
    await save(store, alert("a1"))
    with pytest.raises(Exception, match=TWO_OPEN):
        await save(store, alert("a2"))
    assert await store.alert("a2") is None
    await save(store, alert("a2", situation="care"), alert("a3", "c2"), alert("a4", state="withdrawn"))
    assert await store.count() == {"new": 3, "withdrawn": 1}


async def test_an_alert_may_take_the_place_of_one_that_closes_or_moves_away(store: AlertStore) -> None:
    await save(store, alert("a5"), alert("a6", "c2"))
    await save(store, alert("a1"), alert("a5", state="withdrawn"))
    await save(store, alert("a2", "c2"), alert("a6", "c3"))
    await save(store, alert("a1", "c2"), alert("a2", "c1"))
    async with store.working() as tx:
        found = await tx.alerts_of(["c1", "c2", "c3"])
    assert [[one.alert_id for one in alerts] for alerts in found.values()] == [["a2"], ["a1"], ["a6"]]


async def take_up(store: AlertStore, customers: Sequence[str]) -> None:
    """Counts one up for each, as a batch does; tries again as a worker does."""
    while True:
        try:
            async with store.working() as tx:
                found = await tx.lock(customers)
                for standing in found.values():
                    standing.version += 1
                await tx.save_standings(found)
                return
        except Contended:
            continue


async def test_batches_that_meet_in_their_customers_all_count(store: AlertStore, other: AlertStore) -> None:
    customers = [f"c{number}" for number in range(12)]
    mixed = (customers, customers[::-1], customers[3:9], customers[::2])
    await asyncio.gather(*(take_up(worker, some) for some in mixed for worker in (store, other)))
    async with store.working() as tx:
        found = await tx.lock(customers)
    assert {one: told.version for one, told in found.items()} == {
        one: 2 * sum(one in some for some in mixed) for one in customers
    }


async def give(store: AlertStore, number: int, owners: list[str]) -> None:
    """Takes a place of an owner's capacity of three, if there is one."""
    async with store.working() as tx:
        routed = await tx.routed_on(owners, 20_000)
        await asyncio.sleep(0.01)
        if routed.get("M-1", 0) < 3:
            await tx.save_alerts([alert(f"a{number}", f"c{number}", routed_day=20_000)], {})


async def test_no_owner_is_given_more_than_fits_by_two_at_once(store: AlertStore, other: AlertStore) -> None:
    two = (["M-1", "M-2"], ["M-2", "M-1"])
    await asyncio.gather(*(give((store, other)[n % 2], n, two[n % 2]) for n in range(8)))
    await save(store, alert("b1", "c9", owner="M-2", routed_day=20_000), alert("b2", "c8", routed_day=19_999))
    async with store.working() as tx:
        assert await tx.routed_on(["M-1", "M-2", "M-3"], 20_000) == {"M-1": 3, "M-2": 1}


async def test_the_greatest_that_waits_for_room_is_told_by_owner(store: AlertStore) -> None:
    wait = {"state": "new", "waiting": "capacity"}
    await save(
        store, alert("a1", "c1", rank=5.0, **wait), alert("a2", "c2", rank=7.5, **wait),
        alert("a3", "c3", rank=9.0, state="routed"), alert("a4", "c4", rank=9.0, state="new", waiting="G1"),
        alert("a5", "c5", owner="M-2", rank=2.0, **wait),
    )  # fmt: skip
    async with store.working() as tx:
        assert await tx.waiting_for(["M-1", "M-2", "M-3"]) == {"M-1": 7.5, "M-2": 2.0}


ESCALATED = Step(at=3, actor="system", action="escalate", state="routed", to="M-2")


def filled() -> list[Alert]:
    return [
        alert("a1", rank=5.0, escalated_at=3, history=[ESCALATED]),
        alert("a2", "c2", rank=9.0, severity=3, state="claimed", worded_by="G1"),
        alert("a3", "c3", "growth", kind="upsell", rank=5.0, owner="M-2", waiting="G1",
              evidence=[evidence("R1"), evidence("U2")]),
        alert("a4", "c4", state="closed", rank=7.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (AlertFilter(), ["a2", "a4", "a1", "a3"]),
        (AlertFilter(owner=("M-1",)), ["a2", "a4", "a1"]),
        (AlertFilter(works="M-2"), ["a1", "a3"]),
        (AlertFilter(works="M-2", state=(OPEN,), kind=("upsell",)), ["a3"]),
        (AlertFilter(state=(OPEN,)), ["a2", "a1", "a3"]),
        (AlertFilter(state=("closed",)), ["a4"]),
        (AlertFilter(kind=("upsell",)), ["a3"]),
        (AlertFilter(severity=(3,)), ["a2"]),
        (AlertFilter(customer=("c2",)), ["a2"]),
        (AlertFilter(situation=("growth",)), ["a3"]),
        (AlertFilter(rule=("U2",)), ["a3"]),
        (AlertFilter(guard="G1"), ["a2", "a3"]),
        (AlertFilter(rule=("R1",), owner=("M-1",), state=(OPEN,)), ["a2", "a1"]),
        (AlertFilter(rule=("R9",)), []),
        (AlertFilter(owner=("M-1", "M-2"), state=("closed", "claimed")), ["a2", "a4"]),
        (AlertFilter(state=(OPEN, "closed"), severity=(1, 2)), ["a4", "a1", "a3"]),
        (AlertFilter(kind=("retention", "upsell"), situation=("growth", "leaving"), rule=("U2", "R9")), ["a3"]),
    ],
)
async def test_alerts_are_found_by_every_part_of_a_filter(
    store: AlertStore, where: AlertFilter, expected: list[str]
) -> None:
    await save(store, *filled())
    assert [one.alert_id for one in await store.find(where, None, 9)] == expected


@pytest.mark.parametrize(
    "where", [AlertFilter(), AlertFilter(owner=("M-1",), state=(OPEN,)), AlertFilter(rule=("R1",))]
)
async def test_pages_meet_without_gap_or_repeat(store: AlertStore, where: AlertFilter) -> None:
    await save(store, *(alert(f"a{n}", f"c{n}", rank=float(n // 4) / 3) for n in range(11)))
    whole = await store.find(where, None, 99)
    assert [one.alert_id for one in whole] == ["a10", "a8", "a9", *(f"a{n}" for n in (4, 5, 6, 7, 0, 1, 2, 3))]
    paged: list[Alert] = []
    while page := await store.find(where, (paged[-1].rank, paged[-1].alert_id) if paged else None, 3):
        paged += page
    assert paged == whole


async def test_a_rule_that_speaks_no_more_does_not_find_the_alert(store: AlertStore) -> None:
    await save(store, alert("a1", evidence=[evidence("R1"), evidence("R10")]))
    await save(store, alert("a1", evidence=[evidence("R10")]))
    assert [len(await store.find(AlertFilter(rule=(rule,)), None, 9)) for rule in ("R1", "R10")] == [0, 1]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_what_waits_for_owners_who_are_full_is_not_walked_through(store: AlertStore, store_url: str) -> None:
    waiting = [alert(f"a{n}", f"c{n}", rank=float(n), waiting="capacity") for n in range(200)]
    given = [alert(f"r{n}", f"e{n}", state="routed", rank=float(n)) for n in range(800)]
    await save(store, *waiting, *given, alert("b", "d", owner="M-2", waiting="capacity"))
    async with opened(store_url) as database, database.transaction() as vacuum:
        await vacuum.execute(text("analyze alerts"))
    async with opened(store_url) as database, writing(database) as session:
        assert await waiting_for_room(session, 9, ["M-1", "M-2"]) == []
        found = await session.rows("select idx_tup_fetch from pg_stat_xact_user_tables where relname = 'alerts'")
        assert found[0][0] <= 2  # hops from owner to owner


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", [(OPEN,), ("routed",), ("closed",), ()])
async def test_the_inbox_of_a_manager_does_not_walk_through_those_of_the_others(
    store: AlertStore, store_url: str, state: tuple[str, ...]
) -> None:
    for name, stands in (("r", "routed"), ("c", "closed")):
        others = [alert(f"{name}{n}", f"{name}{n}", owner=f"M-{n % 40}", state=stands, rank=99.0) for n in range(400)]
        mine = [alert(f"{name}m{n}", f"{name}m{n}", owner="M-m", state=stands, rank=float(n)) for n in range(5)]
        await save(store, *others, *mine)
    async with opened(store_url) as database, database.transaction() as vacuum:
        await vacuum.execute(text("analyze alerts"))
    async with opened(store_url) as database, writing(database) as session:
        sql, arguments = finding(AlertFilter(works="M-m", state=state), None, 5)
        assert len(await session.rows(sql, *arguments)) == 5
        found = await session.rows("select idx_tup_fetch from pg_stat_xact_user_tables where relname = 'alerts'")
        assert found[0][0] <= (5 if state else 10)


async def test_those_wait_that_lack_nothing_but_room(store: AlertStore) -> None:
    await save(
        store, alert("a1", rank=1.0), alert("a2", "c2", rank=3.0, waiting="capacity", owner="M-9"),
        alert("a3", "c3", rank=9.0, waiting="G1"), alert("a4", "c4", state="routed", rank=9.0),
    )  # fmt: skip
    assert [one.alert_id for one in await store.waiting(9)] == ["a2", "a1"]
    assert [one.alert_id for one in await store.waiting(1)] == ["a2"]
    assert [one.alert_id for one in await store.waiting(9, ["M-9"])] == ["a1"]


async def test_customers_come_due_once_and_in_the_order_of_their_times(store: AlertStore) -> None:
    await save(
        store, alert("a1"), alert("a2", situation="care"), alert("b1", "c2"), alert("d1", "c3"),
        alert("e1", "c4"), alert("f1", "c5", state="closed"),
        a1=30, a2=20, b1=10, d1=31, f1=5,
    )  # fmt: skip
    assert await store.due(30, 9) == ["c2", "c1"]
    assert await store.due(30, 1) == ["c2"]
    assert await store.due(9, 9) == []
    assert [await store.next_due(after) for after in (-1, 9, 10, 30, 31)] == [10, 10, 20, 31, None]


async def test_outcomes_are_counted_for_every_rule_that_spoke(store: AlertStore) -> None:
    both = [evidence("R1"), evidence("R2")]
    wrong, right = Outcome(result="not_relevant", reason="old news"), Outcome(result="saved")
    await save(store, alert("a1", evidence=both), alert("a2", "c2", evidence=both), alert("a3", "c3"))
    assert await store.learned() == []
    await save(store, alert("a1", state="closed", evidence=both, outcome=wrong))
    await save(store, alert("a2", "c2", state="closed", evidence=both, outcome=right))
    await save(store, alert("a3", "c3", state="closed", outcome=right))
    assert await store.learned() == [
        Learned("R1", 1, "", "M-1", False, 3, 1), Learned("R2", 1, "", "M-1", False, 2, 1),
    ]  # fmt: skip


async def test_outcomes_are_told_apart_by_version_branch_owner_and_what_came_after_a_person_enabled_the_rule(
    store: AlertStore,
) -> None:
    right = Outcome(result="saved")

    async def closed(alert_id: str, at: int, version: int = 1, **told: str) -> None:
        said = [evidence("R1", version)]
        await save(store, alert(alert_id, alert_id, evidence=said))
        await save(store, alert(alert_id, alert_id, state="closed", ended_at=at, evidence=said, outcome=right, **told))

    await store.switch(RuleSwitch("R1", True, "Mei", 10))
    await closed("a1", 9, branch="BJ")
    await closed("a2", 11, branch="BJ")
    await closed("a3", 12, 2, branch="BJ")
    await closed("a4", 13, branch="SH", owner="M-2")
    assert await store.learned() == [
        Learned("R1", 1, "BJ", "M-1", False, 1, 0), Learned("R1", 1, "BJ", "M-1", True, 1, 0),
        Learned("R1", 1, "SH", "M-2", True, 1, 0), Learned("R1", 2, "BJ", "M-1", True, 1, 0),
    ]  # fmt: skip
    await closed("a5", 14, branch="SH", owner="M-3")
    assert await store.learned(["rule", "branch"], "R1") == [
        Learned("R1", 1, "BJ", "", False, 1, 0), Learned("R1", 1, "BJ", "", True, 1, 0),
        Learned("R1", 1, "SH", "", True, 2, 0), Learned("R1", 2, "BJ", "", True, 1, 0),
    ]  # fmt: skip
    assert [(one.owner, one.closed) for one in await store.learned(["owner"])] == [
        ("M-1", 1), ("M-1", 1), ("M-2", 1), ("M-3", 1), ("M-1", 1),
    ]  # fmt: skip
    assert await store.learned(["rule"], "R404") == []


async def test_alerts_are_counted_by_the_day_on_which_a_rule_began_to_speak_in_them(store: AlertStore) -> None:
    day, eight = 86_400_000, 8 * 3_600_000
    for number, (rule, at) in enumerate([("R4", 16 * 3_600_000), ("R4", day), ("R4", 2 * day - 1), ("R9", day)]):
        said = [evidence(rule, seen_at=at), evidence(rule, key=f"{rule}|again", seen_at=at + 5 * day)]
        await save(store, alert(f"a{number}", f"c{number}", evidence=said))
    assert await store.begun_by_day(["R4"], 0, eight) == {("R4", 1): 2, ("R4", 2): 1}
    assert await store.begun_by_day(["R4", "R9"], day, 0) == {("R4", 1): 2, ("R9", 1): 1}
    await save(store, alert("a1", "c1", state="withdrawn", evidence=[evidence("R4", seen_at=day)]))
    assert await store.begun_by_day(["R4"], 0, 0) == {("R4", 0): 1, ("R4", 1): 1}


def edition(rule: str, at: int, **told: Any) -> Edition:
    return Edition(rule=rule, at=at, **{"change": "added", "actor": "Mei", "rule_set": "1", **told})


async def test_the_newest_edition_of_each_rule_stands_and_all_are_kept(store: AlertStore) -> None:
    declared = RuleDeclared(id="R1", kind="guard", name=Text("a", "b"), reason=Text("c", "d"), when=("has_salary",))
    told = [
        edition("R1", 5, declared=declared), edition("R2", 5), edition("R1", 7, change="removed", note="too many"),
    ]  # fmt: skip
    async with store.working() as tx:
        assert await tx.editions() == []
        await tx.record(told)
    async with store.working() as tx:
        assert await tx.editions() == [told[2], told[1]]
    assert await store.editions(None, 2) == [told[2], told[1]]
    assert await store.editions("R1", 9) == [told[2], told[0]]


async def test_editions_of_a_file_without_rules_stand_beside_those_of_rules_and_are_found_by_its_name(
    store: AlertStore,
) -> None:
    desks = [edition("", at, file="desk.yaml", settings={"daily_capacity": at}) for at in (5, 6)]
    labels, of_a_rule = edition("", 5, file="labels.yaml", settings={}), edition("R1", 5, file="bank.yaml")
    async with store.working() as tx:
        await tx.record([*desks, labels, of_a_rule])
    async with store.working() as tx:
        assert {one.name: one for one in await tx.editions()} == {
            "desk.yaml": desks[1], "labels.yaml": labels, "R1": of_a_rule,
        }  # fmt: skip
    assert await store.editions("desk.yaml", 9) == desks[::-1]
    assert await store.editions("bank.yaml", 9) == []


async def test_of_two_workers_that_read_the_same_files_one_writes_it_down(store: AlertStore, other: AlertStore) -> None:
    async def write(worker: AlertStore) -> None:
        async with worker.working() as tx:
            if not await tx.editions():
                await tx.record([edition("R1", 5)])

    await asyncio.gather(write(store), write(other))
    assert len(await store.editions(None, 9)) == 1


def notice(rule: str, at: int, **told: Any) -> Notice:
    return Notice(**{"rule": rule, "name": Text(rule, rule), "matter": "throttled", "began": True, "at": at, **told})


async def test_the_newest_notice_on_each_rule_and_matter_stands_and_all_are_kept(store: AlertStore) -> None:
    told = [
        notice("R1", 5, seen=13, among=20), notice("R1", 6, matter="paused", owner="M-1"),
        notice("R2", 7), notice("R1", 8, began=False, actor="Mei", note="mended"),
    ]  # fmt: skip
    async with store.working() as tx:
        assert await tx.notices() == []
        await tx.notify(told[:3])
        await tx.notify(told[3:])
    assert await store.notices() == [told[1], told[3], told[2]]
    assert await store.recent_notices(6, 9) == [told[3], told[2], told[1]]
    assert await store.recent_notices(0, 1) == [told[3]]


async def test_of_two_who_tell_the_same_at_once_one_finds_it_told(store: AlertStore, other: AlertStore) -> None:
    async def tell(worker: AlertStore) -> None:
        async with worker.working() as tx:
            if not await tx.notices():
                await tx.notify([notice("R1", 5)])

    await asyncio.gather(*(tell(worker) for worker in (store, other, store, other)))
    assert len(await store.recent_notices(0, 9)) == 1


async def test_the_newest_word_on_a_rule_stands(store: AlertStore) -> None:
    assert await store.switches() == []
    said = [
        RuleSwitch("R2", False, "Mei", 9, "noise"),
        RuleSwitch("R1", False, "An", 7),
        RuleSwitch("R2", True, "An", 8),
    ]
    for one in said:
        await store.switch(one)
    assert await store.switches() == said[1:]


async def send(store: AlertStore, value: int) -> None:
    async with store.working() as tx:
        await tx.send("lane", [OutboxMessage("alerts", b"c", bytes([value]))] * 3, 7)


async def test_numbers_of_a_lane_have_no_gap_and_no_repeat(store: AlertStore, other: AlertStore) -> None:
    await asyncio.gather(*(send(worker, value) for value in range(4) for worker in (store, other)))
    found = await store.outbox("lane", 99)
    assert [(row.n, row.created_at) for row in found] == [(n, 7) for n in range(1, 25)]
    assert await store.lanes_waiting() == {"lane": 7}


async def test_a_lane_is_moved_by_one_publisher(store: AlertStore, other: AlertStore) -> None:
    await send(store, 1)
    moved = await asyncio.gather(store.published({"lane": (0, 2)}), other.published({"lane": (0, 2)}))
    assert sorted(moved) == [[], ["lane"]]
    assert [row.n for row in await store.outbox("lane", 9)] == [3]
    assert await store.lanes_waiting() == {"lane": 7}
    assert await store.published({"lane": (2, 3)})
    assert await store.lanes_waiting() == {}
    assert not await store.published({"lane": (2, 3)})
    assert not await store.published({"no lane": (0, 1)})


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "rare",
    [
        {"rule": ("R404",)},
        {"situation": ("life_event",)},
        {"severity": (2,)},
        {"kind": ("guard",)},
        {"guard": "G9"},
        {"owner": ("M-7", "M-8")},
        {"owner": tuple(f"M-{n}" for n in range(100, 400)), "severity": (2,)},
    ],
)
@pytest.mark.parametrize("state", [(), (OPEN,), ("closed",), ("superseded",)])
async def test_what_few_alerts_of_the_bank_match_is_found_without_reading_the_others(
    store: AlertStore, store_url: str, state: tuple[str, ...], rare: Mapping[str, Any]
) -> None:
    for name, stands in (("r", "routed"), ("c", "closed")):
        await save(store, *(alert(f"{name}{n}", f"{name}{n}", state=stands, rank=float(n)) for n in range(300)))
    async with opened(store_url) as database, database.reading() as connection:
        vacuum = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await vacuum.execute(text("vacuum analyze alerts"))
    async with opened(store_url) as database, writing(database) as session:
        sql, arguments = finding(AlertFilter(state=state, **rare), None, 5)
        assert await session.rows(sql, *arguments) == []
        found = await session.rows(
            "select idx_tup_fetch, seq_scan from pg_stat_xact_user_tables where relname = 'alerts'"
        )
        assert tuple(found[0]) == (0, 0)


@pytest.mark.parametrize("asked", ["R1 R10", "", " ", "%", "R_", "r1", "1", "R"])
async def test_a_rule_is_found_by_its_whole_id_alone(store: AlertStore, asked: str) -> None:
    await save(store, alert("a1", evidence=[evidence("R1"), evidence("R10")]))
    assert await store.find(AlertFilter(rule=(asked,)), None, 9) == []
    assert [one.alert_id for one in await store.find(AlertFilter(rule=(asked, "R1")), None, 9)] == ["a1"]


async def test_open_and_closed_alerts_are_one_inbox_by_rank(store: AlertStore) -> None:
    stands = ["new", "routed", "closed", "withdrawn", "closed", "snoozed"]
    await save(store, *(alert(f"a{n}", f"c{n}", state=state, rank=float(n)) for n, state in enumerate(stands)))
    for state in [(), (OPEN, "closed"), ("routed", "withdrawn"), ("closed", "withdrawn"), ("new", "snoozed", "closed")]:
        expected = [
            f"a{n}" for n, one in enumerate(stands)
            if not state or one in state or (OPEN in state and one not in ("closed", "withdrawn"))
        ][::-1]  # fmt: skip
        first = await store.find(AlertFilter(state=state), None, 2)
        rest = await store.find(AlertFilter(state=state), (first[-1].rank, first[-1].alert_id), 9)
        assert [one.alert_id for one in [*first, *rest]] == expected


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_of_very_many_alerts_only_the_open_ones_are_counted(store: AlertStore, store_url: str) -> None:
    stands = ["closed"] * 6 + ["withdrawn"] * 2 + ["new", "routed"]
    await save(store, *(alert(f"a{n}", f"c{n}", state=state) for n, state in enumerate(stands)))
    await told(store_url, "analyze alerts")
    await told(store_url, "update pg_class set reltuples = 1000000 where relname = 'alerts'")
    try:
        assert await store.count() == {"closed": 600_000, "withdrawn": 200_000, "new": 1, "routed": 1}
    finally:
        await told(store_url, "analyze alerts")
    assert await store.count() == {"closed": 6, "withdrawn": 2, "new": 1, "routed": 1}


async def told(url: str, statement: str) -> None:
    async with opened(url) as database, database.transaction() as connection:
        await connection.execute(text(statement))


async def test_what_is_open_is_counted_by_owner_and_state_with_what_is_late(store: AlertStore) -> None:
    await save(
        store, alert("a1", "c1", state="routed", due_at=10), alert("a2", "c2", state="routed", due_at=30),
        alert("a3", "c3", state="claimed", due_at=19), alert("a4", "c4", owner="M-2"),
        alert("a5", "c5", owner="M-3", state="routed", due_at=1), alert("a6", "c6", state="expired", due_at=1),
    )  # fmt: skip
    one = [Load("M-1", "claimed", 1, 1), Load("M-1", "routed", 2, 1)]
    assert sorted(await store.loads(["M-1", "M-2", "M-9"], 20)) == [*one, Load("M-2", "new", 1, 0)]
    assert sorted(await store.loads([], 1)) == [
        Load("M-1", "claimed", 1, 0), Load("M-1", "routed", 2, 0), Load("M-2", "new", 1, 0), Load("M-3", "routed", 1, 0)
    ]  # fmt: skip
    await save(store, alert("a1", "c1", state="routed", due_at=40))
    assert sorted(await store.loads(["M-1"], 20)) == [Load("M-1", "claimed", 1, 1), Load("M-1", "routed", 2, 0)]


async def test_what_was_closed_within_a_time_is_counted_once_by_owner_and_result_with_what_was_sold(
    store: AlertStore,
) -> None:
    both = [evidence("R1"), evidence("R2")]

    async def closed(alert_id: str, at: int, result: Any, owner: str = "M-1", amount: int = 0) -> None:
        outcome = Outcome(result=result, amount_minor=amount, currency="CNY" if amount else "")
        await save(store, alert(alert_id, alert_id, owner=owner, evidence=both))
        await save(store, alert(alert_id, alert_id, owner=owner, evidence=both, state="closed", ended_at=at,
                                outcome=outcome))  # fmt: skip

    await closed("a1", 9, "sold", amount=100)
    await closed("a2", 10, "sold", amount=200)
    await closed("a3", 19, "sold", amount=300)
    await closed("a4", 15, "saved")
    await closed("a5", 15, "lost", "M-2")
    await closed("a6", 20, "saved")
    await save(store, alert("a7", "c7", state="withdrawn", ended_at=15))
    mine = [Closed("M-1", "saved", 1, {}), Closed("M-1", "sold", 2, {"CNY": 500})]
    assert await store.closed(["M-1"], 10, 20) == mine
    assert await store.closed([], 10, 20) == [*mine, Closed("M-2", "lost", 1, {})]
    assert await store.closed(["M-9"], 10, 20) == []


@pytest.mark.parametrize("owners", [[], ["M-1"]])
async def test_what_is_open_is_counted_without_a_look_at_what_has_ended(tmp_path: Path, owners: list[str]) -> None:
    asked: list[Any] = []
    async with opened(f"sqlite:{tmp_path}/alerts.db") as database:
        await upgrade(database)

        async def explained(sql: str, *arguments: Any) -> list[Any]:
            async with writing(database) as session:
                asked.extend(await session.rows(f"explain query plan {sql}", *arguments))
            return []

        await open_of(explained, owners, 1)
        assert any("is_open=?" in row[3] for row in asked), asked
        assert not any(row[3].startswith("SCAN alerts") for row in asked), asked
