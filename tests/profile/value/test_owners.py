"""Owners: an owner stays until there is a reason."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided, Manager, MemberCustomer
from services.profile.domain.value.owners import as_assigned, assign, branches, owner_of_members
from services.profile.domain.value.policy import Policy, RosterEntry
from tests.profile.value.portrait import CURRENT, ME, SAVINGS, Portrait, ms, policy

NOW = ms("2026-11-20")
Owner = dict[str, Any] | None


def manager(number: str, owned: int = 0, **fields: Any) -> Manager:
    return Manager(number, fields, owned)


def left(number: str, day: str, successor: str | None = None) -> Manager:
    return manager(number, status="left", left_at=ms(day), successor_id=successor)


def staff(*people: Manager) -> dict[str, Manager]:
    return {one.manager_id: one for one in people}


def roster(*entries: RosterEntry) -> Policy:
    portfolio = msgspec.structs.replace(policy().portfolio, roster=entries)
    return msgspec.structs.replace(policy(), portfolio=portfolio)


def served(day: str = "2026-03-02", by: str = "M-1") -> Portrait:
    return Portrait().tell(day, "manager.assigned", ME, manager_id=by, branch="BJ-012")


def ask(
    portrait: Portrait, people: dict[str, Manager] | None = None, decided: Decided | None = None, *,
    tier: str | None = "gold", by: Policy | None = None, now: int = NOW,
) -> tuple[Owner, Decided]:  # fmt: skip
    customer = portrait.customer(staff=people or {})
    remembered = assign(customer, tier, decided or Decided(), by or policy(), now)
    return as_assigned(customer, remembered, by or policy(), now), remembered


def shown(owner: Owner) -> dict[str, Any]:
    assert owner is not None
    return owner


def test_the_manager_that_the_bank_assigned_is_the_owner() -> None:
    owner, decided = ask(served())
    assert (shown(owner)["manager_id"], shown(owner)["reason"], shown(owner)["acting"]) == ("M-1", "assigned", "M-1")
    assert (decided.owner, decided.owner_since) == ("M-1", ms("2026-03-02"))


def test_nobody_is_needed_for_a_general_customer() -> None:
    assert ask(Portrait(), tier="general") == (None, Decided())


def test_an_owner_stays_when_the_tier_falls() -> None:
    _, decided = ask(served())
    owner, later = ask(served(), decided=decided, tier="general")
    assert (shown(owner)["manager_id"], later) == ("M-1", decided)


def test_customers_of_a_manager_who_leaves_pass_to_the_successor() -> None:
    _, decided = ask(served())
    owner, decided = ask(served(), staff(left("M-1", "2026-11-01", "M-2"), manager("M-2")), decided)
    assert (shown(owner)["manager_id"], shown(owner)["reason"], shown(owner)["former"]) == ("M-2", "handed_over", "M-1")
    assert decided.owner_since == ms("2026-11-01")


def passed_on(decided: Decided) -> list[tuple[str | None, str | None]]:
    return [(change["from"], change["to"]) for change in decided.notes["handovers"]]


def back(number: str, left_on: str, successor: str) -> Manager:
    return manager(number, status="here", left_at=ms(left_on), successor_id=successor, returned_at=ms("2026-11-08"))


@pytest.mark.parametrize("told_at_once", [True, False])
def test_whoever_comes_back_has_the_customers_that_are_assigned_anew_and_none_of_the_former(told_at_once: bool) -> None:
    gone, here = staff(left("M-1", "2026-11-01", "M-2")), staff(back("M-1", "2026-11-01", "M-2"))
    decided = None if told_at_once else ask(served(), gone)[1]
    _, decided = ask(served(), here, decided)
    assert (decided.owner, decided.owner_since) == ("M-2", ms("2026-11-01"))
    again = served().tell("2026-11-09", "manager.assigned", ME, manager_id="M-1")
    assert ask(again, here, decided)[1].owner == "M-1"
    _, passed = ask(again, gone, decided)
    assert passed.owner == "M-2", "nobody told that M-1 is back"
    assert ask(again, here, passed)[1].owner == "M-1", "that was told late"


def test_whoever_is_assigned_once_more_after_coming_back_keeps_who_was_never_handed_over() -> None:
    twice = served().tell("2026-11-09", "manager.assigned", ME, manager_id="M-1")
    assert ask(twice, staff(back("M-1", "2026-11-01", "M-2")), ask(twice)[1])[1].owner == "M-1"


def test_whoever_is_back_takes_customers_by_rule_again() -> None:
    by = roster(RosterEntry("M-1"))
    assert ask(Portrait(), staff(left("M-1", "2026-11-01")), by=by)[1].owner is None
    assert ask(Portrait(), staff(back("M-1", "2026-11-01", "M-2")), by=by)[1].owner == "M-1"


def test_a_successor_who_left_too_is_passed_over() -> None:
    people = staff(left("M-1", "2026-11-01", "M-2"), left("M-2", "2026-11-05", "M-3"))
    owner, decided = ask(served(), people)
    assert (shown(owner)["manager_id"], shown(owner)["former"], decided.owner_since) == ("M-3", "M-2", ms("2026-11-05"))
    assert passed_on(decided) == [(None, "M-1"), ("M-1", "M-2"), ("M-2", "M-3")]


def test_managers_who_name_each_other_leave_the_customer_without_owner() -> None:
    people = staff(left("M-1", "2026-11-01", "M-2"), left("M-2", "2026-11-05", "M-1"))
    owner, decided = ask(served(), people)
    assert (shown(owner)["manager_id"], shown(owner)["reason"], decided.former_owner) == (
        None,
        "nobody_in_reach",
        "M-2",
    )
    assert passed_on(decided) == [(None, "M-1"), ("M-1", "M-2"), ("M-2", None)]


def test_the_hand_over_stands_when_the_customer_is_looked_at_again() -> None:
    people = staff(left("M-1", "2026-11-01", "M-2"))
    first = ask(served(), people)
    assert ask(served(), people, first[1], now=NOW + DAY_MS) == first


def test_a_new_assignment_ends_an_older_hand_over() -> None:
    people = staff(left("M-1", "2026-11-01", "M-2"))
    _, decided = ask(served(), people)
    owner, decided = ask(served().tell("2026-11-10", "manager.assigned", ME, manager_id="M-9"), people, decided)
    assert (shown(owner)["manager_id"], decided.former_owner) == ("M-9", "M-2")
    assert [change["to"] for change in decided.notes["handovers"]] == ["M-1", "M-2", "M-9"]


def test_who_is_assigned_once_more_is_the_owner_since_the_first_time() -> None:
    _, decided = ask(served())
    again = served().tell("2026-11-10", "manager.assigned", ME, manager_id="M-1")
    owner, decided = ask(again, decided=decided)
    assert (shown(owner)["since"], passed_on(decided)) == (ms("2026-03-02"), [(None, "M-1")])
    owner, decided = ask(again, staff(left("M-1", "2026-11-01", "M-2"), manager("M-2")), decided)
    assert shown(owner)["manager_id"] == "M-2", "the assignment was acted on before the hand-over"


@pytest.mark.parametrize(("first", "second", "owner"), [("M-1", "M-2", "M-2"), ("M-2", "M-1", "M-1")])
def test_of_two_who_were_assigned_to_one_who_became_one_customer_the_later_is_the_owner(
    first: str, second: str, owner: str
) -> None:
    both = Portrait().tell("2026-03-02", "manager.assigned", ME, manager_id=first)
    both.tell("2026-03-05", "manager.assigned", "party:0", manager_id=second, role="self")
    assert ask(both)[1].owner == owner


@pytest.mark.parametrize("first", ["M-1", "M-2"])
def test_of_two_who_were_assigned_at_one_instant_the_last_writer_s_holds_whichever_was_acted_on_first(
    first: str,
) -> None:
    both = served(by="M-1").tell("2026-03-02", "manager.assigned", ME, manager_id="M-2")
    _, decided = ask(served(by=first))
    assert ask(both, decided=decided)[1].owner == "M-2"
    _, decided = ask(both, staff(left("M-2", "2026-11-01", "M-3")), ask(both, decided=decided)[1])
    assert ask(both, staff(left("M-2", "2026-11-01", "M-3")), decided)[1].owner == "M-3", "acted on once"


def test_the_last_owner_is_told_although_there_was_none_for_a_while() -> None:
    owner, decided = ask(served(), staff(left("M-1", "2026-11-01")), tier="general")
    assert (decided.owner, shown(owner)["former"], shown(owner)["reason"]) == (None, "M-1", "not_needed")
    _, decided = ask(served().tell("2026-11-10", "manager.assigned", ME, manager_id="M-9"), decided=decided)
    assert (decided.owner, decided.former_owner) == ("M-9", "M-1")


def test_notes_of_other_decisions_are_kept() -> None:
    _, decided = ask(served(), decided=Decided(notes={"band": "near"}))
    assert decided.notes["band"] == "near"


def test_who_is_judged_by_no_scale_is_in_nobodys_care() -> None:
    assert ask(Portrait("device:d").tell("2026-01-01", "page.viewed", "device:d"), by=roster(RosterEntry("M-1"))) == (
        None, Decided(),
    )  # fmt: skip


def test_the_portfolio_rule_takes_the_emptiest_of_the_branch_with_room() -> None:
    at_branch = Portrait().tell("2026-01-01", "account.opened", CURRENT, branch="BJ-012")
    rule = roster(
        RosterEntry("M-1", ("BJ-012",), ("gold",), 10), RosterEntry("M-2", ("BJ-012",), ("gold",), 100),
        RosterEntry("M-3", ("SH-001",), (), 10), RosterEntry("M-4", ("BJ-012",), ("profit",), 10),
        RosterEntry("M-5", ("BJ-012",), (), 10), RosterEntry("M-6", (), (), 10),
    )  # fmt: skip
    people = staff(manager("M-1", 5), manager("M-2", 20), left("M-5", "2026-01-01"), manager("M-6", 10))
    owner, decided = ask(at_branch, people, by=rule)
    assert (shown(owner)["manager_id"], shown(owner)["reason"], decided.owner_since) == ("M-2", "portfolio_rule", NOW)


@pytest.mark.parametrize("own", [10, 0])
def test_a_manager_takes_customers_until_the_portfolio_is_full(own: int) -> None:
    """Of his or her own size, or of the usual one."""
    rule, capacity = roster(RosterEntry("M-1", capacity=own)), own or policy().portfolio.capacity
    owners = [shown(ask(Portrait(), staff(manager("M-1", owned)), by=rule)[0]) for owned in (capacity - 1, capacity)]
    assert [(one["manager_id"], one["reason"]) for one in owners] == [
        ("M-1", "portfolio_rule"), (None, "nobody_in_reach"),
    ]  # fmt: skip


def test_only_where_own_accounts_are_kept_now_is_a_branch_of_the_customer() -> None:
    portrait = Portrait().tell("2026-01-01", "account.opened", CURRENT, branch="BJ-012")
    portrait.tell("2026-01-01", "account.opened", SAVINGS, branch="SH-001", role="attorney")
    portrait.tell("2026-01-01", "account.opened", "account:300", branch="SZ-002")
    portrait.spans["account:300"] = (0, ms("2026-06-01"))
    assert branches(portrait.customer()) == {"BJ-012"}


def test_an_owner_by_rule_stays_though_another_has_more_room() -> None:
    rule = roster(RosterEntry("M-1"), RosterEntry("M-2"))
    _, decided = ask(Portrait(), by=rule)
    owner, again = ask(Portrait(), staff(manager("M-1", 150)), decided, by=rule, now=NOW + DAY_MS)
    assert (shown(owner)["manager_id"], again) == ("M-1", decided)


def test_without_a_successor_the_portfolio_rule_finds_another() -> None:
    rule = roster(RosterEntry("M-1"), RosterEntry("M-2"))
    owner, decided = ask(served(), staff(left("M-1", "2026-11-01")), by=rule)
    assert (shown(owner)["manager_id"], shown(owner)["former"], decided.former_owner) == ("M-2", "M-1", "M-1")


def test_a_delegate_acts_during_an_absence_only() -> None:
    away = {"from": ms("2026-11-19"), "until": ms("2026-11-25"), "delegate_id": "M-2"}
    people = staff(Manager("M-1", away, 1))
    owner, decided = ask(served(), people)
    assert (shown(owner)["manager_id"], shown(owner)["acting"], decided.owner) == ("M-1", "M-2", "M-1")
    back, _ = ask(served(), people, decided, now=ms("2026-11-25"))
    assert (shown(back)["acting"], shown(back)["delegate"]) == ("M-1", None)


@pytest.mark.parametrize("named", [{}, {"delegate_id": "M-2"}])
def test_while_the_owner_is_away_and_nobody_stands_in_nobody_answers(named: dict[str, str]) -> None:
    """Nobody was named, or who was named has left."""
    people = staff(Manager("M-1", {"from": NOW - 1, "until": NOW + 1, **named}, 1), left("M-2", "2026-11-01"))
    owner, decided = ask(served(), people)
    assert (shown(owner)["acting"], shown(owner)["delegate"], decided.owner) == (None, None, "M-1")


def test_of_delegates_who_are_both_away_for_each_other_nobody_answers() -> None:
    away = {"from": 0, "until": NOW + 1}
    people = staff(Manager("M-1", {**away, "delegate_id": "M-2"}, 1), Manager("M-2", {**away, "delegate_id": "M-1"}, 1))
    assert shown(ask(served(), people)[0])["acting"] is None


HOME = "household:h"


def member(customer_id: str, owner: str | None, assets: float = 0.0) -> MemberCustomer:
    return MemberCustomer(customer_id, owner, assets)


def at_home(
    members: Sequence[MemberCustomer], decided: Decided | None = None, *, unseen: str = "", lead: str = HOME,
    now: int = NOW, people: dict[str, Manager] | None = None,
) -> tuple[Owner, Decided]:  # fmt: skip
    """`unseen`: who belongs to it, too, and was never looked at."""
    portrait, known = Portrait(lead), {f"party:{one.customer_id}": one for one in members}
    for party in (*known, *([f"party:{unseen}"] if unseen else ())):
        portrait.tell("2026-03-02", "household.joined", party, role="self")
    customer = portrait.customer(members=known, staff=people or {})
    remembered = assign(customer, None, decided or Decided(), policy(), now)
    return as_assigned(customer, remembered, policy(), now), remembered


@pytest.mark.parametrize("lead", [HOME, "group:g"])
def test_a_household_or_group_follows_the_owner_of_its_richest_member(lead: str) -> None:
    owner, decided = at_home([member("a", "M-1", 5.0), member("b", "M-2", 9.0), member("c", None, 99.0)], lead=lead)
    assert (shown(owner)["manager_id"], shown(owner)["reason"]) == ("M-2", "follows_member")
    assert (decided.owner, decided.owner_since, decided.former_owner) == ("M-2", NOW, None)


def test_of_members_who_are_as_rich_the_lowest_customer_id_decides() -> None:
    assert at_home([member("b", "M-2"), member("a", "M-1")])[1].owner == "M-1"


def test_the_owner_of_a_household_stays_while_he_owns_a_member_however_rich_the_others_grow() -> None:
    _, decided = at_home([member("a", "M-1", 5.0)])
    assert at_home([member("a", "M-1", 5.0), member("b", "M-2", 9.0)], decided, now=NOW + DAY_MS)[1] == decided


def test_when_the_richest_member_goes_to_another_manager_the_household_follows() -> None:
    _, decided = at_home([member("a", "M-1", 9.0), member("b", "M-2", 5.0)])
    owner, decided = at_home([member("a", "M-3", 9.0), member("b", "M-2", 5.0)], decided, now=NOW + DAY_MS)
    assert (shown(owner)["manager_id"], shown(owner)["former"], decided.owner_since) == ("M-3", "M-1", NOW + DAY_MS)
    assert [(change["from"], change["to"]) for change in shown(owner)["handovers"]] == [(None, "M-1"), ("M-1", "M-3")]


def test_who_in_a_household_is_looked_at_first_makes_no_difference_to_its_owner() -> None:
    assert at_home([member("a", "M-1")], unseen="b") == (None, Decided())
    _, decided = at_home([member("a", "M-1")])
    assert at_home([member("a", "M-2")], decided, unseen="b")[1] == decided


def test_a_household_whose_members_nobody_owns_has_no_owner_and_tells_of_its_last_one() -> None:
    assert at_home([member("a", None)]) == (None, Decided())
    _, decided = at_home([member("a", "M-1")])
    owner, decided = at_home([member("a", None)], decided)
    assert (shown(owner)["manager_id"], shown(owner)["former"], decided.owner) == (None, "M-1", None)
    owner, decided = at_home([member("a", "M-2")], decided)
    assert (shown(owner)["manager_id"], shown(owner)["former"]) == ("M-2", "M-1")


def test_while_the_owner_of_a_household_is_away_the_delegate_answers_for_it() -> None:
    away = staff(Manager("M-1", {"from": NOW - 1, "until": NOW + 1, "delegate_id": "M-2"}, 1))
    owner, decided = at_home([member("a", "M-1")], people=away)
    assert (shown(owner)["acting"], decided.owner) == ("M-2", "M-1")


MANAGERS = st.sampled_from(["M-1", "M-2", "M-3", None])
MEMBERS = st.lists(
    st.builds(member, st.sampled_from("abcde"), MANAGERS, st.sampled_from([0.0, 1.0, 2.5])),
    max_size=5, unique_by=lambda one: one.customer_id,
)  # fmt: skip


@given(MANAGERS, MEMBERS, st.randoms(use_true_random=False))
def test_whoever_answers_for_a_household_owns_a_member_and_stays(
    present: str | None, members: list[MemberCustomer], order: Any
) -> None:
    chosen = owner_of_members(present, members)
    owners = {one.owner for one in members} - {None}
    assert chosen in owners or (chosen, owners) == (None, set())
    if present in owners:
        assert chosen == present
    elif owners:
        theirs = max(one.assets for one in members if one.owner == chosen)
        assert all(one.assets <= theirs for one in members if one.owner is not None)
    assert owner_of_members(chosen, members) == chosen
    assert owner_of_members(present, order.sample(members, len(members))) == chosen


PEOPLE = st.dictionaries(
    st.sampled_from(["M-1", "M-2", "M-3", "M-4"]),
    st.tuples(st.booleans(), st.sampled_from(["M-1", "M-2", "M-3", "M-4", None]), st.integers(0, 300)),
)


@given(st.lists(st.tuples(PEOPLE, st.sampled_from(["gold", "profit", "general", None])), min_size=1, max_size=12))
def test_an_owner_changes_only_because_he_or_she_left(days: list[tuple[dict[str, Any], str | None]]) -> None:
    rule = roster(*(RosterEntry(f"M-{number}") for number in range(1, 5)))
    decided = Decided()
    for ahead, (told, tier) in enumerate(days):
        people = {
            number: Manager(number, {"status": "left", "left_at": 5, "successor_id": after} if gone else {}, owned)
            for number, (gone, after, owned) in told.items()
        }
        before = decided
        owner, decided = ask(Portrait(), people, decided, tier=tier, by=rule, now=NOW + ahead * DAY_MS)
        gone = {number for number, one in people.items() if one.fields}
        assert decided.owner not in gone
        if before.owner is not None and before.owner not in gone:
            assert decided.owner == before.owner
        assert (owner or {}).get("manager_id") == decided.owner
        assert ask(Portrait(), people, decided, tier=tier, by=rule, now=NOW + ahead * DAY_MS)[1] == decided
