"""Batches of profile changes through the use case, on the store in memory."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import ProfileChange
from schemas.codec import decode_alert, encode_change
from schemas.topics import PROFILE_CHANGES
from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.attend import FULL_MS, Attend
from services.alerts.current import Current
from services.alerts.domain.alert import Alert, State, step
from services.alerts.domain.rules import Desk
from services.alerts.evaluate import Evaluate, newest
from services.alerts.ports import AlertFilter
from services.failures import Fenced
from services.log import Batch, Record
from tests.alerts.told import CEL, COMPLAINT, DAY, HOUR, MISSED, NOON, OUTFLOW, SAVINGS, moment, rule, rules, statement
from tests.clocks import ManualClock

OWED: dict[str, Any] = {"has_salary": True, "salary_missed": 1.0, "assets": 5e5}


class Service:
    def __init__(self, desk: Desk | None = None) -> None:
        self.store = MemoryAlertStore()
        self.current = Current(
            rules(MISSED, OUTFLOW, SAVINGS, COMPLAINT), desk or Desk(), lambda day: (day + 3) % 7 < 5
        )
        self.evaluate = Evaluate(self.store, CEL, self.current)
        self.until = 0

    def batch(self, *changes: ProfileChange, partition: int = 0) -> Batch:
        records = [
            Record(self.until + place, one.changed_at, one.customer_id.encode(), encode_change(one))
            for place, one in enumerate(changes)
        ]
        return Batch(PROFILE_CHANGES.name, "t", partition, self.until, self.until + len(changes), records)

    async def takes(self, *changes: ProfileChange) -> None:
        batch = self.batch(*changes)
        await self.evaluate.apply([batch])
        self.until = batch.until

    async def claims(self, customer_id: str) -> None:
        """Somebody takes up whatever is open."""
        await self._stepped(customer_id, "claim", "claimed", claimed_by="Li Na")

    async def reassigns(self, customer_id: str, to: str) -> None:
        await self._stepped(customer_id, "reassign", "routed", owner=to)

    async def _stepped(self, customer_id: str, action: str, state: State, **fields: str) -> None:
        async with self.store.working() as tx:
            await tx.lock([customer_id])
            found = (await tx.alerts_of([customer_id]))[customer_id]
            for one in found:
                for name, value in fields.items():
                    setattr(one, name, value)
                step(one, NOON + 2 * HOUR, "Li Na", action, state)
            await tx.save_alerts(found, {})

    async def alerts(self, **where: Any) -> list[Alert]:
        return await self.store.find(AlertFilter(**where), None, 100)

    async def sent(self) -> list[tuple[str, int, str]]:
        rows = await self.store.outbox("changes-0", 100)
        told = [decode_alert(row.message.value) for row in rows]
        return [(one.customer_id, one.revision, one.state) for one in told]


async def test_who_comes_as_a_place_is_given_back_does_not_take_it_before_a_greater_one_that_waits() -> None:
    service = Service(Desk(daily_capacity=1))
    await service.takes(statement(1, "c1", balance_total=5e3))
    await service.takes(statement(1, "c2", **OWED))
    await service.takes(statement(2, "c1", balance_total=5e3, **{**OWED, "assets": 1.0}))
    assert {(one.customer_id, one.waiting) for one in await service.alerts()} == {
        ("c1", "retention_first"), ("c1", "capacity"), ("c2", "capacity"),
    }  # fmt: skip
    await Attend(service.store, service.current).apply(NOON + 3 * HOUR)
    assert {(one.customer_id, one.state) for one in await service.alerts() if not one.waiting} == {("c2", "routed")}


async def test_the_time_to_answer_runs_from_when_it_came_to_somebody_and_not_from_before_an_outage() -> None:
    service, now = Service(), NOON + 2 * DAY
    service.evaluate = Evaluate(service.store, CEL, service.current, ManualClock(now))
    await service.takes(statement(1, **OWED))
    await Attend(service.store, service.current).apply(now)
    [alert] = await service.alerts()
    assert (alert.opened_at, alert.routed_at) == (NOON + HOUR, now)
    assert [one.action for one in alert.history] == ["open", "route"], "nobody was late"
    assert alert.due_at > now


async def test_a_customer_who_leaves_takes_the_place_that_the_sale_to_the_same_customer_gives_back() -> None:
    service = Service(Desk(daily_capacity=1))
    await service.takes(statement(1, balance_total=5e3))
    await service.takes(statement(2, balance_total=5e3, **OWED))
    stand = {one.situation: (one.state, one.waiting) for one in await service.alerts()}
    assert stand == {"growth": ("new", "retention_first"), "leaving": ("routed", "")}


async def test_a_statement_becomes_a_routed_alert_and_is_told() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    (alert,) = await service.alerts(owner=("M-1",))
    assert (alert.state, alert.situation, alert.due_at > alert.opened_at) == ("routed", "leaving", True)
    assert await service.sent() == [("c1", alert.opened_at, "routed")]


async def test_an_older_statement_changes_nothing() -> None:
    service = Service()
    await service.takes(statement(2, **OWED))
    await service.takes(statement(1))
    assert [one.state for one in await service.alerts()] == ["routed"]


async def test_a_statement_that_is_told_once_more_is_passed_over() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    again = service.batch(statement(1, **OWED))
    done = await service.evaluate.apply([again])
    assert (done.statements, done.skipped) == (0, 1)


async def test_what_is_passed_over_is_counted_apart_from_what_was_acted_on() -> None:
    service = Service()
    await service.takes(statement(2, "old", **OWED))
    again = service.batch(statement(1, "old"), statement(2, "old", **OWED), *(statement(1, name) for name in "abc"))
    done = await service.evaluate.apply([again])
    assert (done.statements, done.skipped) == (3, 2)


async def test_what_a_batch_says_is_told_as_of_its_latest_statement() -> None:
    service = Service()
    await service.takes(statement(1, "a", at=NOON + 2 * DAY, **OWED), statement(1, "b", at=NOON + DAY, **OWED))
    assert await service.sent() == [("a", NOON + 2 * DAY, "routed"), ("b", NOON + 2 * DAY, "routed")]
    assert [one.routed_at for one in await service.alerts()] == [NOON + 2 * DAY] * 2


async def test_of_several_statements_in_a_batch_the_newest_speaks() -> None:
    service = Service()
    await service.takes(statement(1, **OWED), statement(2, has_salary=True))
    assert await service.alerts() == []


def test_a_newer_statement_says_all_that_an_older_one_did_but_never_that_the_customer_was_gone() -> None:
    first, second, gone = statement(1), statement(2), statement(3, kind="gone")
    back, other = statement(4), statement(1, "c2")
    assert newest([first, other, second]) == [second, other]
    assert newest([second, first]) == [second]
    assert newest([second, gone, first]) == [second, gone]
    assert newest([gone, back, other]) == [gone, back, other]


async def test_a_batch_that_another_worker_has_done_is_fenced_and_leaves_no_trace() -> None:
    service = Service()
    batch = service.batch(statement(1, **OWED))
    await service.evaluate.apply([batch])
    with pytest.raises(Fenced):
        await service.evaluate.apply([batch])
    assert len(await service.alerts()) == 1


async def test_batches_of_several_partitions_are_evaluated_together() -> None:
    service = Service()
    here = service.batch(statement(1, "a", moments=[moment("x", NOON)]), statement(2, "a", kind="gone", aliases=["b"]))
    there = service.batch(statement(1, "b", **OWED), partition=3)
    done = await service.evaluate.apply([there, here])
    assert (done.statements, done.fired) == (3, 2)
    assert {one.customer_id: one.state for one in await service.alerts()} == {"a": "superseded", "b": "routed"}
    reached = await service.store.positions(PROFILE_CHANGES.name, [0, 3])
    assert {partition: position.next for partition, position in reached.items()} == {0: 2, 3: 1}


async def test_what_is_said_of_a_partition_goes_out_in_a_lane_of_that_partition() -> None:
    service = Service()
    batches = [service.batch(statement(1, f"c{n}", **OWED), partition=n) for n in (5, 3)]
    await service.evaluate.apply(batches)
    assert (await service.store.lanes_waiting()).keys() == {"changes-3"}


async def test_where_one_of_several_partitions_is_fenced_nothing_of_any_has_happened() -> None:
    service = Service()
    done, fresh = service.batch(statement(1, **OWED)), service.batch(statement(1, "c2", **OWED), partition=1)
    await service.evaluate.apply([done])
    with pytest.raises(Fenced):
        await service.evaluate.apply([fresh, done])
    assert [one.customer_id for one in await service.alerts()] == ["c1"]
    assert await service.store.positions(PROFILE_CHANGES.name, [1]) == {}


MEETS: dict[str, Any] = {"at": NOON + 9 * HOUR, "merged": ["a"]}
GONE_A = statement(2, "a", NOON + 9 * HOUR + 1, kind="gone", aliases=["b"])


def rules_of(alerts: Sequence[Alert]) -> set[tuple[str, str, tuple[str, ...]]]:
    """Of whom each open alert is, its situation, and what still speaks in it."""
    return {(one.customer_id, one.situation, tuple(sorted({said.rule for said in one.current_evidence()})))
            for one in alerts if one.is_open}  # fmt: skip


async def test_what_changes_and_moves_in_one_batch_moves_once() -> None:
    service = Service()
    await service.takes(statement(1, "a", **OWED))
    heavier = statement(2, "a", moments=[moment("x", NOON)], **OWED)
    await service.takes(heavier, statement(3, "a", kind="gone", aliases=["b"]))
    [alert] = await service.alerts()
    assert (alert.customer_id, [one.action for one in alert.history].count("move")) == ("b", 1)


async def test_what_the_heir_said_before_the_merge_and_comes_after_it_takes_nothing_back() -> None:
    service = Service()
    await service.takes(statement(1, "a", **OWED), statement(1, "b"))
    (alert,) = await service.alerts()
    await service.takes(GONE_A)
    await service.takes(statement(2, "b", NOON + 9 * HOUR - 1))
    await service.takes(statement(3, "b", at=NOON + 9 * HOUR + 2, merged=["a"], **OWED))
    (found,) = await service.alerts()
    assert (found.alert_id, found.customer_id, found.state) == (alert.alert_id, "b", "routed")
    await service.takes(statement(4, "b", at=NOON + DAY, merged=["a"]))
    assert [one.state for one in await service.alerts()] == ["withdrawn"]


async def test_what_was_said_of_one_who_has_left_again_is_not_kept_for_ever() -> None:
    """Its alert is over, so that nothing else remembers of whom it was."""
    service = Service()
    await service.takes(statement(1, "a", **OWED), statement(1, "b"))
    async with service.store.working() as tx:
        await tx.lock(["a"])
        (alert,) = (await tx.alerts_of(["a"]))["a"]
        step(alert, NOON + HOUR, "Li Na", "outcome", "closed")
        await tx.save_alerts([alert], {})
    await service.takes(GONE_A)
    await service.takes(statement(2, "b", NOON + DAY))
    async with service.store.working() as tx:
        assert (await tx.lock(["b"]))["b"].firings == {}


async def test_a_merge_joins_the_alerts_of_both_whichever_statement_comes_first() -> None:
    whole = statement(2, "b", moments=[moment("x", NOON)], **MEETS, **OWED)
    for order in permutations((GONE_A, whole)):
        service = Service()
        await service.takes(statement(1, "a", moments=[moment("x", NOON)]), statement(1, "b", **OWED))
        for change in order:
            await service.takes(change)
        found = await service.alerts()
        assert {one.customer_id: one.state for one in found} == {"a": "superseded", "b": "routed"}
        assert rules_of(found) == {("b", "leaving", ("R1", "R4"))}


SAID: list[dict[str, Any]] = [
    {}, OWED, {"balance_total": 5e3}, OWED | {"moments": [moment("x", NOON)]},
    {"balance_total": 5e3, "complaint_open": True, "moments": [moment("x", NOON), moment("y", NOON + HOUR)]},
    {"has_salary": True, "missing": ["salary_missed"]},
]  # fmt: skip


@given(one=st.sampled_from(SAID), late=st.none() | st.sampled_from(SAID), other=st.sampled_from(SAID),
       both=st.sampled_from(SAID), claims=st.booleans(), together=st.booleans())  # fmt: skip
async def test_in_whichever_order_a_merge_is_told_the_same_stands_and_a_split_parts_the_same(
    one: dict[str, Any], late: dict[str, Any] | None, other: dict[str, Any], both: dict[str, Any], claims: bool,
    together: bool,
) -> None:  # fmt: skip
    """`late`: what was said of the one before it went, and may come after what is said of both."""
    gone = statement(3, "a", NOON + 9 * HOUR + 1, kind="gone", aliases=["b"])
    before = [] if late is None else [statement(2, "a", **late)]
    whole = statement(2, "b", **MEETS, **both)
    orders = [[*before, gone, whole], [*before, whole, gone], [whole, *before, gone]]
    merged, parted = [], []
    for order in orders:
        service = Service()
        await service.takes(statement(1, "a", **one), statement(1, "b", **other))
        if claims:
            await service.claims("a")
        for changes in [order] if together else [[change] for change in order]:
            await service.takes(*changes)
        merged.append(rules_of(await service.alerts()))
        await service.takes(statement(4, "a", NOON + DAY, **one), statement(3, "b", NOON + DAY, **other))
        parted.append(rules_of(await service.alerts()))
    assert merged[0] == merged[1]
    assert parted[0] == parted[1]
    if late is None or late == one:
        assert merged[2] == merged[0]
        assert parted[2] == parted[0]


async def test_what_only_the_one_that_is_gone_had_is_withdrawn_though_it_is_told_last_that_it_is() -> None:
    for claims in (False, True):
        service = Service()
        await service.takes(statement(1, "a", **OWED))
        if claims:
            await service.claims("a")
        await service.takes(statement(2, "b", **MEETS))
        await service.takes(GONE_A)
        (found,) = await service.alerts()
        assert (found.customer_id, found.state) == ("b", "claimed" if claims else "withdrawn")
        assert "R4 no longer holds" in found.history[-1].note


@pytest.mark.parametrize("first", ["the one who returns", "the one who stays"])
async def test_a_customer_who_stands_alone_again_takes_the_own_alerts_back(first: str) -> None:
    service = Service()
    await service.takes(statement(1, "a", moments=[moment("x", NOON)]), statement(1, "b", **OWED))
    await service.takes(statement(2, "a", kind="gone", aliases=["b"]))
    back, stays = statement(3, "a", moments=[moment("x", NOON)]), statement(3, "b", **OWED)
    for change in (back, stays) if first == "the one who returns" else (stays, back):
        await service.takes(change)
    found = [one for one in await service.alerts() if one.is_open]
    assert {one.customer_id: [said.rule for said in one.evidence] for one in found} == {"a": ["R1"], "b": ["R4"]}
    assert not any(said.ended_at for one in found for said in one.evidence)


async def test_what_is_said_of_the_one_who_stays_is_no_matter_of_the_one_who_leaves() -> None:
    for leaves in (statement(3, "a", NOON + DAY, moments=[moment("x", NOON)]), None):
        service = Service()
        await service.takes(statement(1, "a", moments=[moment("x", NOON)]), statement(1, "b"), GONE_A)
        stays = statement(2, "b", NOON + DAY, **OWED)
        await service.takes(*([stays] if leaves is None else [leaves, stays]))
        assert rules_of(await service.alerts()) == {("a", "leaving", ("R1",)), ("b", "leaving", ("R4",))}


async def test_a_statement_from_before_they_met_parts_nobody() -> None:
    service = Service()
    await service.takes(statement(1, "a", moments=[moment("x", NOON)]))
    await service.takes(statement(3, "a", kind="gone", aliases=["b"]))
    await service.takes(statement(2, "b", **OWED))
    found = [one for one in await service.alerts() if one.is_open]
    assert {one.customer_id for one in found} == {"b"}


async def test_what_is_parted_goes_to_the_owner_of_the_one_who_stands_alone_again_at_once() -> None:
    for merged_first in (True, False):
        service = Service()
        out: dict[str, Any] = {"moments": [moment("x", NOON)], "owner": "M-2"}
        await service.takes(statement(1, "a", **out), statement(1, "b", **OWED))
        whole = statement(2, "b", NOON + 9 * HOUR, merged=["a"], moments=[moment("x", NOON)], **OWED)
        for change in (GONE_A, whole) if merged_first else (whole, GONE_A):
            await service.takes(change)
        await service.takes(statement(3, "b", NOON + DAY, **OWED))
        (parted,) = await service.alerts(customer=("a",), state=("routed",))
        assert (parted.owner, parted.history[-1].note) == ("M-2", "to M-2")


async def test_work_begun_for_one_who_was_merged_is_parted_from_the_other_who_goes_to_its_own_owner_anew() -> None:
    service = Service()
    out: dict[str, Any] = {"moments": [moment("x", NOON)], "owner": "M-2"}
    await service.takes(statement(1, "a", **out), statement(1, "b", **OWED, owner="M-1"))
    await service.claims("a")
    await service.takes(statement(2, "b", NOON + HOUR, merged=["a"], owner="M-1", **OWED), GONE_A)
    await service.takes(statement(3, "b", NOON + DAY, owner="M-1", **OWED))
    found = {one.customer_id: (one.state, one.owner) for one in await service.alerts() if one.is_open}
    assert found == {"a": ("claimed", "M-2"), "b": ("routed", "M-1")}


async def test_what_was_given_to_another_by_hand_is_parted_to_the_owner_of_the_one_who_leaves() -> None:
    service = Service()
    out: dict[str, Any] = {"moments": [moment("x", NOON)], "owner": "M-2"}
    await service.takes(statement(1, "a", **out), statement(1, "b", **OWED, owner="M-1"))
    both: dict[str, Any] = {**OWED, "moments": [moment("x", NOON)], "owner": "M-1"}
    await service.takes(statement(2, "b", NOON + HOUR, merged=["a"], **both), GONE_A)
    await service.reassigns("b", "M-9")
    await service.takes(statement(3, "b", NOON + DAY, owner="M-1", **OWED))
    found = {one.customer_id: (one.state, one.owner) for one in await service.alerts() if one.is_open}
    assert found == {"a": ("routed", "M-2"), "b": ("routed", "M-9")}


async def test_work_that_goes_on_in_the_alert_of_another_is_still_to_be_answered_in_its_time() -> None:
    service = Service(Desk(capacities={"M-2": 0}))
    await service.takes(statement(1, "a", moments=[moment("x", NOON)]), statement(1, "b", **OWED, owner="M-2"))
    (begun,) = await service.alerts(customer=("a",))
    await service.claims("a")
    await service.takes(GONE_A)
    (goes_on,) = await service.alerts(customer=("b",))
    assert (goes_on.state, goes_on.due_at, goes_on.routed_day) == ("claimed", begun.due_at, begun.routed_day)
    assert await service.store.due(begun.due_at, 9) == ["b"]


async def test_what_comes_on_a_day_off_takes_a_place_of_the_next_working_day() -> None:
    service, saturday = Service(Desk(daily_capacity=2)), NOON + 5 * DAY
    for number, at in enumerate((saturday, saturday + DAY, saturday + DAY, saturday + 2 * DAY)):
        await service.takes(statement(1, f"c{number}", at + number, **OWED))
    found = {one.customer_id: one.state for one in await service.alerts()}
    assert found == {"c0": "routed", "c1": "routed", "c2": "new", "c3": "new"}


async def test_what_waits_for_room_comes_up_when_the_working_day_has_begun_and_not_on_a_day_off() -> None:
    service, friday = Service(Desk(daily_capacity=1)), NOON + 4 * DAY
    await service.takes(statement(1, "a", friday, **OWED), statement(1, "b", friday, **(OWED | {"assets": 1e4})))
    attend = Attend(service.store, service.current)
    for day in (1, 2, 3):
        await attend.apply(friday + day * DAY)
        (waits,) = await service.alerts(customer=("b",))
        assert waits.state == ("routed" if day == 3 else "new")


async def test_what_finds_no_room_waits_in_order_and_comes_up_the_next_day() -> None:
    service = Service(Desk(daily_capacity=1))
    await service.takes(statement(1, "a", **(OWED | {"assets": 1e4})), statement(1, "b", **OWED))
    assert {one.customer_id: one.state for one in await service.alerts()} == {"a": "new", "b": "routed"}
    attend = Attend(service.store, service.current)
    assert not [one for one in await attend.apply(NOON + DAY // 8) if one.state == "routed"]
    await attend.apply(NOON + DAY)
    assert {one.customer_id: one.state for one in await service.alerts()} == {"a": "routed", "b": "routed"}


async def test_an_owner_with_a_full_day_keeps_nobody_elses_alerts_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.alerts.attend.AT_ONCE", 1)
    service = Service(Desk(daily_capacity=1))
    await service.takes(statement(1, "a", **OWED), statement(1, "b", **OWED), statement(1, "c", **OWED))
    small = OWED | {"assets": 1e4, "owner": "M-2"}
    await service.takes(statement(1, "d", **small), statement(1, "e", **small))
    attend = Attend(service.store, service.current)
    assert len(await service.store.waiting(9)) == 3
    for second in range(3):
        await attend.apply(NOON + DAY + second)
    assert [one.owner for one in await service.store.waiting(9)] == ["M-1"]


async def test_a_place_that_is_given_back_is_found_within_a_minute_and_those_of_a_new_day_at_once() -> None:
    service, midnight = Service(Desk(daily_capacity=1)), NOON + DAY // 2
    smaller, least = OWED | {"assets": 2e4}, OWED | {"assets": 1e4}
    await service.takes(statement(1, "a", **OWED), statement(1, "b", **smaller), statement(1, "c", **least))
    attend = Attend(service.store, service.current)
    full = midnight - FULL_MS - 1
    assert await attend.apply(full) == []
    await service.takes(statement(2, "a", has_salary=True))
    assert await attend.apply(full + FULL_MS - 1) == []
    assert [one.customer_id for one in await attend.apply(full + FULL_MS)] == ["b"]
    assert [one.customer_id for one in await attend.apply(midnight)] == ["c"]


async def test_who_has_room_for_several_gets_them_one_after_another_without_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = Service(Desk(daily_capacity=1))
    await service.takes(*(statement(1, name, **OWED) for name in ("a", "b", "c")))
    service.current.take(service.current.rules, Desk(daily_capacity=3))
    monkeypatch.setattr("services.alerts.attend.AT_ONCE", 1)
    attend = Attend(service.store, service.current)
    assert [len(await attend.apply(NOON + 2 * HOUR + second)) for second in range(3)] == [1, 1, 0]


async def test_a_rule_that_meets_a_wrong_type_is_stopped_and_the_others_go_on() -> None:
    service = Service()
    await service.takes(statement(1, has_salary=True, salary_missed="two", balance_total=5e3))
    assert service.current.stopped.keys() == {"R4"}
    await service.takes(statement(2, "b", has_salary=True, salary_missed="two", balance_total=5e3))
    assert {one.situation for one in await service.alerts()} == {"growth"}


async def test_what_a_stopped_rule_has_said_stands_until_its_file_is_another() -> None:
    service = Service()
    await service.takes(statement(1, **OWED), statement(1, "b", **OWED))
    await service.takes(statement(2, has_salary=True, salary_missed="two"))
    await service.takes(statement(2, "b", has_salary=True))
    assert {one.customer_id: one.state for one in await service.alerts()} == {"c1": "routed", "b": "routed"}
    service.current.take(rules(MISSED), Desk())
    await service.takes(statement(3, "b", has_salary=True))
    assert {one.customer_id: one.state for one in await service.alerts()} == {"c1": "routed", "b": "withdrawn"}


async def test_an_alert_that_grows_graver_without_a_step_has_a_new_revision() -> None:
    service = Service()
    graver = rule("R4", when=("has_salary", "salary_missed >= 1.0"), severity="salary_missed >= 2.0 ? 3.0 : 1.0")
    service.current.take(rules(graver), Desk())
    await service.takes(statement(1, **OWED))
    (before,) = await service.alerts()
    await service.takes(statement(2, **(OWED | {"salary_missed": 2.0})))
    (after,) = await service.alerts()
    assert (before.severity, after.severity) == (1, 3)
    assert after.revision > before.revision


@pytest.mark.parametrize("heir", ["c", ""], ids=["another", "nobody"])
@pytest.mark.parametrize("is_told_first", [True, False])
async def test_who_goes_from_one_to_another_without_a_word_between_leaves_nothing_open_for_nobody(
    heir: str, is_told_first: bool
) -> None:
    """A merge was undone and put right before the customer was summed up in between."""
    service = Service()
    await service.takes(statement(1, "a", moments=[moment("x", NOON)]), statement(1, "b"), statement(1, "c"))
    await service.takes(GONE_A, statement(2, "b", NOON + 10 * HOUR, merged=["a"], moments=[moment("x", NOON)]))
    elsewhere = statement(3, "a", NOON + 11 * HOUR, kind="gone", aliases=[heir] if heir else [])
    alone = statement(3, "b", NOON + 11 * HOUR + 1)
    for change in (elsewhere, alone) if is_told_first else (alone, elsewhere):
        await service.takes(change)
    [growth] = await service.alerts()
    assert (growth.customer_id, growth.is_open) == ((heir, True) if heir else ("a", False))
    if heir:
        await service.takes(statement(2, "c", NOON + 12 * HOUR, merged=["a"]))
        assert [one.state for one in await service.alerts()] == ["withdrawn"]
