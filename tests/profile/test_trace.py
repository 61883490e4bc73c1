"""From what a rule saw of a customer back to the events that it was counted from."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from schemas.changes import Fact
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.decide import Decide, Said
from services.profile.read import Read
from services.profile.statement import stored_facts
from services.profile.trace import NO_EVENTS, OTHERWISE, TELLING, Seen, Trace
from tests.ports.profile_stores import Store, alias_of, store
from tests.profile.test_refresh import refresh_all, view_of
from tests.profile.test_update import new_update
from tests.profile.told import CATALOGUE, DECLARED, NAMING, NOW, batch, new_fold, opened, rfc3339, told

__all__ = ["store"]
LATER = NOW + DAY_MS
ASKED = (
    "outflow_24h",
    "outflow_30d",
    "transfers_out_30d",
    "external_outflow_30d",
    "outflow_max_day_180d",
    "logins_30d",
)
Json = dict[str, Any]


def sent(name: str, at: int, value: str, account: str = "6001", now: int = NOW, **told_: Any) -> ChannelEvent:
    other = {"name": "Old Mill Bakery", "account_no": "7001", "bank": "OTHA"}
    return told("transfer.sent", name, at, account_no=account, counterparty=other, now=now,
                amount={"value": value, "currency": "CNY"}, **told_)  # fmt: skip


def reversed_(original: ChannelEvent, at: int, value: str) -> ChannelEvent:
    return told(
        "transaction.reversed", f"not-{original.id}", at, account_no="6001", direction="debit",
        amount={"value": value, "currency": "CNY"}, counterparty={"account_no": "7001", "bank": "OTHA"},
        attributes={"original_id": original.id, "original_type": original.type,
                    "original_occurred_at": rfc3339(original.occurred_at)},
    )  # fmt: skip


class Told:
    """What happened, in batches; `seen` is what a rule would see of a customer now."""

    def __init__(self, store: Store) -> None:
        self.store, self._next = store, 0
        read = Read(store, CATALOGUE, NAMING, lambda: DECLARED.policy, lambda: NOW)
        self.trace = Trace(read, new_fold(), lambda: DECLARED.policy)

    async def tell(self, *events: ChannelEvent, now: int = NOW) -> None:
        await new_update(self.store).apply([batch(self._next, events)], now)
        self._next += len(events)
        await refresh_all(self.store, now)

    async def seen(self, lead: str, *names: str, moment: tuple[str, int] = ("", 0)) -> Seen:
        view = await view_of(self.store, lead)
        values: Mapping[str, Fact] = stored_facts(view).values
        return Seen(view.customer_id, view.changed_at, {name: values.get(name, 0.0) for name in names}, *moment)

    async def facts(self, seen: Seen) -> dict[str, Json]:
        found = msgspec.json.decode(await self.trace.events(seen))
        return {one["name"]: one for one in found["facts"]}


def ids(fact: Json) -> dict[str, float]:
    return {one["id"]: one["counts"] for one in fact["events"]}


ORIGINAL = sent("wrong", NOW - 9 * DAY_MS, "500.00")
STORY = (
    opened("6001", "77", NOW - 300 * DAY_MS), sent("old", NOW - 40 * DAY_MS, "900.00"), ORIGINAL,
    reversed_(ORIGINAL, NOW - HOUR_MS, "500.00"), sent("late", NOW - 8 * DAY_MS, "70.50"),
    sent("new", NOW - 2 * HOUR_MS, "30.25"), sent("new", NOW - 2 * HOUR_MS, "30.25"),
    told("login.succeeded", "in", NOW - DAY_MS, channel="mobile", login="wang", customer_no="77"),
)  # fmt: skip


async def test_the_events_behind_a_fact_come_to_its_value_with_reversals_late_and_repeated_ones(store: Store) -> None:
    bank = Told(store)
    await bank.tell(*STORY)
    facts = await bank.facts(await bank.seen("party:77", *ASKED))
    for fact in facts.values():
        assert fact["counted"] == fact["value"] == pytest.approx(sum(ids(fact).values()))
        assert (fact["adds_up"], fact["why"], fact["came_later"], fact["left_out"]) == (True, None, [], 0)
    assert ids(facts["outflow_24h"]) == {"new": 30.25}
    assert ids(facts["outflow_30d"]) == {"wrong": 500.0, "not-wrong": -500.0, "late": 70.5, "new": 30.25}
    assert ids(facts["external_outflow_30d"]) == ids(facts["outflow_30d"])
    assert ids(facts["transfers_out_30d"]) == {"wrong": 1.0, "not-wrong": -1.0, "late": 1.0, "new": 1.0}
    assert ids(facts["outflow_max_day_180d"]) == {"old": 900.0}
    assert ids(facts["logins_30d"]) == {"in": 1.0}


async def test_an_event_is_told_as_in_the_timeline_with_names_in_clear(store: Store) -> None:
    bank = Told(store)
    await bank.tell(*STORY)
    fact = (await bank.facts(await bank.seen("party:77", "outflow_24h")))["outflow_24h"]
    [one] = fact["events"]
    assert (one["type"], one["amount"]) == ("transfer.sent", {"value": "30.25", "currency": "CNY"})
    assert (one["counterparty"]["name"], one["occurred_at"]) == ("Old Mill Bakery", "2026-11-22T02:00:00Z")
    assert (fact["since"], fact["until"]) == ("2026-11-21T05:00:00Z", "2026-11-22T04:00:00Z")


async def test_what_is_accepted_afterwards_stands_apart_and_changes_nothing(store: Store) -> None:
    bank = Told(store)
    await bank.tell(*STORY)
    seen = await bank.seen("party:77", "outflow_30d")
    before = (await bank.facts(seen))["outflow_30d"]
    await bank.tell(
        sent("lagging", NOW - 3 * DAY_MS, "5.00", now=LATER), sent("next", LATER, "6.00", now=LATER), now=LATER
    )
    after = (await bank.facts(seen))["outflow_30d"]
    assert {**after, "came_later": []} == before
    assert {one["id"]: one["counts"] for one in after["came_later"]} == {"lagging": 5.0, "next": 6.0}


async def test_after_a_merge_each_id_leads_to_what_counted_for_it_then(store: Store) -> None:
    bank = Told(store)
    await bank.tell(*STORY, opened("6002", "78", NOW - 300 * DAY_MS), sent("other", NOW - DAY_MS, "11.00", "6002"))
    one, two = await bank.seen("party:77", "outflow_30d"), await bank.seen("party:78", "outflow_30d")
    decide = Decide(store, new_fold(), SUBJECT_LIMITS)
    merged = await decide.merge(alias_of("party:77"), alias_of("party:78"), Said("anna", "one person", NOW + 1))
    await refresh_all(store, NOW + 2)
    both = await bank.seen("party:77", "outflow_30d")
    await decide.undo(merged.decision_id, Said("bo", "two after all", NOW + 3))
    await refresh_all(store, NOW + 4)
    for seen, others in ((one, {}), (two, {"other"}), (both, {"other"})):
        fact = (await bank.facts(seen))["outflow_30d"]
        assert fact["adds_up"], fact
        assert (("other" in ids(fact)), ("new" in ids(fact))) == (bool(others), seen is not two)


async def test_an_account_that_was_shared_leads_to_the_time_in_which_it_counted(store: Store) -> None:
    bank = Told(store)
    left = told("holder.removed", "left", NOW - 5 * DAY_MS, account_no="6001", customer_no="77")
    await bank.tell(*STORY, left)
    fact = (await bank.facts(await bank.seen("party:77", "outflow_30d")))["outflow_30d"]
    assert (fact["adds_up"], "new" in ids(fact), "late" in ids(fact)) == (True, False, True)


async def test_a_moment_leads_to_its_one_event(store: Store) -> None:
    bank = Told(store)
    await bank.tell(*STORY)
    seen = await bank.seen("party:77", moment=("late", NOW - 8 * DAY_MS))
    found = msgspec.json.decode(await bank.trace.events(seen))
    assert (found["event"]["id"], found["event"]["amount"]["value"], found["facts"]) == ("late", "70.50", [])
    assert msgspec.json.decode(await bank.trace.events(seen._replace(event_id="")))["event"] is None


async def test_what_is_no_sum_leads_to_the_events_that_tell_of_it_or_says_that_there_are_none(store: Store) -> None:
    bank = Told(store)
    case: Json = {"case_id": "K1", "customer_no": "77"}
    complaint = told("case.opened", "opened", NOW - DAY_MS, **case, attributes={"case_kind": "complaint"})
    await bank.tell(*STORY, complaint)
    seen = await bank.seen("party:77", "complaint_open", "balance_total", "moment.amount")
    await bank.tell(told("case.resolved", "resolved", LATER, **case, now=LATER), now=LATER)
    facts = await bank.facts(seen)
    assert facts.keys() == {"complaint_open", "balance_total"}
    open_ = facts["complaint_open"]
    assert ([one["id"] for one in open_["events"]], [one["id"] for one in open_["came_later"]]) == (
        ["opened"],
        ["resolved"],
    )
    assert (open_["value"], open_["counted"], open_["adds_up"], open_["why"]) == (True, None, None, TELLING)
    assert (facts["balance_total"]["events"], facts["balance_total"]["why"]) == (None, NO_EVENTS)


async def test_a_value_that_the_events_do_not_come_to_is_said(store: Store) -> None:
    bank = Told(store)
    await bank.tell(*STORY)
    seen = await bank.seen("party:77", "outflow_30d")
    fact = (await bank.facts(seen._replace(values={"outflow_30d": 7.0})))["outflow_30d"]
    assert (fact["counted"], fact["adds_up"], fact["why"]) == (100.75, False, OTHERWISE)
