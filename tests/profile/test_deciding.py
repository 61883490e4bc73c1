"""What a decision moves and what it leaves alone: it concerns the customers that it names and nobody else."""

import pytest

from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.failures import Rejected
from services.log import Stop
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.decide import MAX_REASON, Decide, Said
from services.profile.linking import reach
from services.profile.ports.records import Decision
from tests.ports.profile_stores import alias_of
from tests.ports.test_profile_refreshing import take
from tests.profile.expected import differences, held
from tests.profile.test_update import new_update
from tests.profile.told import DECLARED, NOW, batch, new_fold, opened, paid, told

ONE, TWO, THREE = (alias_of(f"party:{number}") for number in (77, 78, 79))
NEWER = DECLARED.series.version + 1


def joint(account: str, customer: str, at: int = NOW - 20 * DAY_MS) -> ChannelEvent:
    return told("holder.added", f"joint-{account}-{customer}", at, account_no=account, customer_no=customer,
                attributes={"role": "joint"})  # fmt: skip


SHARED = [opened("6001", "77", NOW - 30 * DAY_MS), joint("6001", "78"), opened("6003", "79", NOW - 30 * DAY_MS)]


class Desk:
    """Who decides, each time a moment later."""

    def __init__(self, store: MemoryProfileStore, version: int = DECLARED.series.version) -> None:
        self.store, self.now = store, NOW
        self.decide = Decide(store, new_fold(version), SUBJECT_LIMITS)

    def says(self) -> Said:
        self.now += 1
        return Said("anna", "seen the passport", self.now)

    async def refused(self, reason: str, decision: Decision, customer_id: str | None = None) -> None:
        with pytest.raises(Rejected) as met:
            await self.decide.undo(decision.decision_id, self.says(), customer_id)
        assert met.value.reason == reason


async def shared(version: int = DECLARED.series.version) -> Desk:
    """An account of 77 and 78, and one of 79."""
    store = MemoryProfileStore(alias_of)
    await new_update(store, new_fold(version)).apply([batch(0, SHARED)], NOW)
    return Desk(store)


async def holders(desk: Desk, account: str = "account:6001") -> set[str]:
    found = await desk.store.memberships(["party:77", "party:78", "party:79"])
    return {one.root for one in found if one.subject == account}


async def cluster(desk: Desk, root: str = "party:77") -> tuple[str, ...]:
    found = await desk.store.cluster(root)
    return () if found is None else found.roots


async def test_a_joint_account_that_is_detached_from_one_holder_stays_with_the_other() -> None:
    desk = await shared()
    taken = await desk.decide.detach(ONE, "account:6001", desk.says())
    assert (taken.subjects, await holders(desk)) == (("account:6001", "party:77"), {"party:78"})


async def test_of_a_merged_customer_an_account_is_detached_however_many_links_lead_there() -> None:
    desk = await shared()
    await desk.decide.merge(ONE, TWO, desk.says())
    await desk.decide.detach(ONE, "account:6001", desk.says())
    assert await holders(desk) == set()


async def test_what_is_detached_is_not_detached_again_and_each_detachment_is_lifted_alone() -> None:
    desk = await shared()
    first = await desk.decide.detach(ONE, "account:6001", desk.says())
    with pytest.raises(Rejected, match="no link leads"):
        await desk.decide.detach(ONE, "account:6001", desk.says())
    await desk.decide.detach(TWO, "account:6001", desk.says())
    await desk.decide.undo(first.decision_id, desk.says())
    assert await holders(desk) == {"party:77"}


async def test_a_past_that_is_decided_again_leaves_the_same_links_and_those_of_others_alone() -> None:
    desk = await shared()
    first = await desk.decide.detach(ONE, "account:6001", desk.says())
    await desk.decide.detach(TWO, "account:6001", desk.says())
    await desk.decide.undo(first.decision_id, desk.says())
    again = await shared()
    for one in await desk.store.decisions_taken(desk.now + 1):
        await again.decide.again(one)
    links = await desk.store.links(["account:6001"])
    assert await again.store.links(["account:6001"]) == links
    assert [int(one.barred_by.partition("/")[0]) for one in links] == [NOW + 3, NOW + 2], "when it was decided"


async def test_a_detachment_taken_again_leaves_to_an_earlier_one_what_that_one_took() -> None:
    desk, again = await shared(), await shared()
    first = await desk.decide.detach(ONE, "account:6001", desk.says())
    await new_update(desk.store).apply([batch(3, [joint("6001", "77")])], NOW)
    await desk.decide.detach(ONE, "account:6001", desk.says())
    await desk.decide.undo(first.decision_id, desk.says())
    taken = await desk.store.decisions_taken(desk.now + 1)
    await again.decide.again(taken[0])
    await new_update(again.store).apply([batch(3, [joint("6001", "77")])], NOW)
    for one in taken[1:]:
        await again.decide.again(one)
    assert await again.store.memberships(["party:77"]) == await desk.store.memberships(["party:77"])
    assert await holders(desk) == {"party:77", "party:78"}


async def test_two_who_were_kept_apart_are_so_in_a_past_that_is_lived_through_again() -> None:
    desk = await shared()
    apart = Decision("dec_1", "separate", ("party:77", "party:78"), "anna", "two people", NOW, "rev_1")
    await desk.decide.again(apart)
    assert await desk.store.decisions_taken(NOW + 1) == [apart]


@pytest.mark.parametrize(("length", "is_taken"), [(0, False), (1, True), (MAX_REASON, True), (MAX_REASON + 1, False)])
async def test_a_reason_of_one_character_to_the_longest_is_taken(length: int, is_taken: bool) -> None:
    desk, said = await shared(), Said("anna", "x" * length, NOW)
    if is_taken:
        assert (await desk.decide.merge(ONE, TWO, said)).reason == said.reason
        return
    with pytest.raises(Rejected, match="1 to 500"):
        await desk.decide.merge(ONE, TWO, said)


async def test_a_decision_is_undone_once_and_what_undoes_is_not_undone() -> None:
    desk = await shared()
    merged = await desk.decide.merge(ONE, TWO, desk.says())
    split = await desk.decide.undo(merged.decision_id, desk.says())
    await desk.refused("undone", merged)
    await desk.refused("unknown_decision", split)
    await desk.refused("unknown_decision", merged, THREE)


async def test_two_ids_of_one_customer_are_not_merged_again() -> None:
    desk = await shared()
    await desk.decide.merge(ONE, TWO, desk.says())
    with pytest.raises(Rejected, match="one customer already"):
        await desk.decide.merge(TWO, ONE, desk.says())
    await desk.decide.split(TWO, desk.says())
    assert await desk.store.cluster("party:77") is None


async def test_who_was_split_off_does_not_come_back_when_the_others_are_merged_with_somebody_else() -> None:
    desk = await shared()
    await new_update(desk.store).apply([batch(3, [opened("6004", "80", NOW - DAY_MS)])], NOW)
    with_two = await desk.decide.merge(ONE, TWO, desk.says())
    await desk.decide.merge(ONE, THREE, desk.says())
    await desk.decide.undo(with_two.decision_id, desk.says())
    await desk.decide.merge(ONE, alias_of("party:80"), desk.says())
    assert await cluster(desk) == ("party:77", "party:79", "party:80")
    assert await desk.store.cluster("party:78") is None


async def test_those_who_were_merged_one_after_another_stay_one_when_another_joins_them() -> None:
    desk = await shared()
    await new_update(desk.store).apply([batch(3, [opened("6004", "80", NOW - DAY_MS)])], NOW)
    for left, right in ((TWO, THREE), (ONE, TWO), (ONE, alias_of("party:80"))):
        await desk.decide.merge(left, right, desk.says())
    assert await cluster(desk) == ("party:77", "party:78", "party:79", "party:80")


async def test_a_subject_that_was_detached_is_no_part_of_a_merge() -> None:
    desk = await shared()
    await desk.decide.merge(ONE, THREE, desk.says())
    await desk.decide.detach(ONE, "account:6001", desk.says())
    await desk.decide.merge(ONE, TWO, desk.says())
    assert await cluster(desk) == ("party:77", "party:78", "party:79")


async def test_nobody_is_merged_who_is_no_customer_any_more() -> None:
    desk = await shared()
    await take(desk.store, "party:77")
    with pytest.raises(Rejected, match="no such customer"):
        await desk.decide.merge(ONE, THREE, desk.says())


@pytest.mark.parametrize("household_first", [True, False])
async def test_a_household_is_not_merged_on_either_side(household_first: bool) -> None:
    desk = await shared()
    joined = told("household.joined", "j-1", NOW - DAY_MS, customer_no="77", household_no="h-1")
    await new_update(desk.store).apply([batch(3, [joined])], NOW)
    sides = (alias_of("household:h-1"), TWO) if household_first else (TWO, alias_of("household:h-1"))
    with pytest.raises(Rejected, match="not merged"):
        await desk.decide.merge(*sides, desk.says())


async def test_an_id_that_stands_for_two_customers_is_no_side_of_a_merge() -> None:
    desk = await shared()
    with pytest.raises(Rejected) as met:
        await desk.decide.merge(alias_of("account:6001"), THREE, desk.says())
    assert (met.value.reason, met.value.field) == ("several_customers", "customer_ids[0]")


async def test_an_older_worker_decides_nothing_over_states_of_a_newer_fold() -> None:
    desk = await shared(NEWER)
    before = await held(desk.store)
    with pytest.raises(Stop, match="newer release"):
        await desk.decide.detach(TWO, "account:6001", desk.says())
    assert differences(before, await held(desk.store)) == []
    assert await desk.store.decisions_taken(desk.now + 1) == []


async def test_a_decision_that_cuts_a_state_anew_leaves_it_to_the_fold_that_did() -> None:
    desk = await shared()
    await new_update(desk.store).apply([batch(3, [paid("p-1", NOW - 10 * DAY_MS, "6001")])], NOW)
    newer = Desk(desk.store, NEWER)
    await newer.decide.detach(TWO, "account:6001", newer.says())
    assert "account:6001" not in (await desk.store.page_behind("", new_fold(NEWER).version, 100))[0]


async def test_links_reach_both_of_their_ends_and_all_that_stands_below() -> None:
    desk = await shared()
    card = told("card.issued", "c-1", NOW - DAY_MS, card_no="card-1", account_no="6001")
    await new_update(desk.store).apply([batch(3, [card])], NOW)
    asserted = [one for one in await desk.store.links(["account:6001"]) if one.target == "party:77"]
    async with desk.store.updating() as tx:
        assert await reach(tx, asserted) == {"party:77", "account:6001", "card:card-1"}
