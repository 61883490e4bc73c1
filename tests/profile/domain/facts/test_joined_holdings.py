"""An account that was there before is linked: what lies there is held, but nothing rose; nor falls what ends."""

from typing import Any

import pytest

from schemas.changes import Fact
from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided, total
from services.profile.domain.customers.parts import part_of
from services.profile.domain.identity.links import BEGINNING, END, Membership
from services.profile.domain.states.segments import Segments
from tests.profile.domain.gathered import ME, facts_told, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event, product_fold

JOINT = "account:2"
MILLION = 100_000_000


def booked(days_ago: int, balance: int, account: str = ACCOUNT, what: str = "transfer.received") -> ChannelEvent:
    return event(what, NOON - days_ago * DAY_MS, account, id=f"{account}{days_ago}{what}", minor=1, balance=balance)


def joined_since(days: int, until: int | None = None) -> dict[str, Any]:
    ends = END if until is None else NOON - until * DAY_MS
    return {JOINT: ("joint", NOON - days * DAY_MS, ends), ACCOUNT: ("owner", BEGINNING, END)}


def values_of(*events: ChannelEvent, **roles: Any) -> dict[str, Fact]:
    own = [event("account.opened", NOON - 800 * DAY_MS, ACCOUNT), booked(500, MILLION)]
    opened = event("account.opened", NOON - 800 * DAY_MS, JOINT)
    return facts_told(summary_of([*own, opened, *events], **roles))


@pytest.mark.parametrize("since", [5, 60, 200], ids=["now", "two months ago", "before its last booking but one"])
def test_an_account_that_is_joined_with_what_lies_there_is_no_rise(since: int) -> None:
    values = values_of(booked(300, 2 * MILLION, JOINT), booked(3, 2 * MILLION, JOINT), roles=joined_since(since))
    assert (values["assets"], values["assets_change_30d"], values["assets_change_90d"]) == (3e6, 0.0, 0.0)
    assert (values["assets_direction"], values["balance_30d_ago"]) == ("steady", 3e6)
    assert (values["balance_mean_365d"], values["balance_lowest_90d"]) == (3e6, 3e6)


def test_what_moved_since_an_account_was_joined_did_move() -> None:
    before, after = booked(300, 2 * MILLION, JOINT), booked(3, 3 * MILLION, JOINT)
    values = values_of(before, after, roles=joined_since(60))
    assert (values["assets_change_30d"], values["balance_30d_ago"], values["assets_direction"]) == (1e6, 3e6, "rising")


def test_what_was_booked_under_a_link_is_known_better_than_what_lay_there_when_it_began() -> None:
    told = booked(300, 2 * MILLION, JOINT), booked(50, 4 * MILLION, JOINT), booked(3, 4 * MILLION, JOINT)
    values = values_of(*told, roles=joined_since(60))
    assert (values["assets_change_30d"], values["assets_change_90d"], values["balance_30d_ago"]) == (0.0, 2e6, 5e6)


@pytest.mark.parametrize(("cuts", "opening"), [([250, 60], 4), ([400, 60], 4), ([400], 2), ([600], None)])
def test_what_lay_on_an_account_when_its_link_began_is_the_last_balance_before_it(
    cuts: list[int], opening: int | None
) -> None:
    told = [booked(500, 2, JOINT), booked(200, 4, JOINT), booked(3, 8, JOINT)]
    places = [NOON - days * DAY_MS for days in cuts]
    segments = Segments.of(places, [*told, event("fee.waived", NOON - 100 * DAY_MS, JOINT)], product_fold())
    joined = part_of(Membership(ME, JOINT, "joint", places[-1], END), places, segments.heads, segments.months)
    found = joined.opening
    assert (None if found is None else found.value[0]) == opening
    assert (joined.before is None) is (opening is None)


def test_a_band_that_came_with_an_account_that_was_joined_came_from_none() -> None:
    told = [event("account.opened", NOON - 800 * DAY_MS, JOINT), booked(300, 7 * MILLION, JOINT)]
    below = Decided(assets_since=NOON - 90 * DAY_MS, notes={"band": "below"})
    for roles, former in ((joined_since(5), None), ({JOINT: ("owner", BEGINNING, END)}, "below")):
        notes = summary_of(told, roles=roles, decided=below).decided.notes
        assert (notes["band"], notes.get("former_band")) == ("above", former)


def test_an_account_that_is_no_longer_shared_is_no_fall() -> None:
    values = values_of(booked(300, 2 * MILLION, JOINT), roles=joined_since(250, until=2))
    assert (values["assets"], values["assets_change_30d"], values["balance_30d_ago"]) == (1e6, 0.0, 1e6)


def came_back(*events: ChannelEvent, left: int, back: int) -> dict[str, Fact]:
    """Of somebody who shared the account until so many days ago, and does again since."""
    spans = [(NOON - 700 * DAY_MS, NOON - left * DAY_MS), (NOON - back * DAY_MS, END)]
    cuts = sorted({one for span in spans for one in span} - {END})
    opened = event("account.opened", NOON - 800 * DAY_MS, JOINT)
    segments = Segments.of(cuts, [opened, *events], product_fold())
    parts = [part_of(Membership(ME, JOINT, "joint", *span), cuts, segments.heads, segments.months) for span in spans]
    return facts_told(summary_of([], parts=parts, state=total(parts)))


@pytest.mark.parametrize(("left", "back"), [(60, 5), (60, 40), (250, 100)])
def test_what_moved_while_somebody_did_not_share_the_account_is_no_rise(left: int, back: int) -> None:
    away = booked(back + 10, 5 * MILLION, JOINT)
    values = came_back(booked(300, MILLION, JOINT), away, left=left, back=back)
    assert (values["assets"], values["assets_change_30d"], values["assets_change_90d"]) == (5e6, 0.0, 0.0)
    assert (values["balance_30d_ago"], values["balance_lowest_90d"], values["assets_direction"]) == (5e6, 5e6, "steady")


def test_what_moved_since_somebody_came_back_did_move() -> None:
    away, since = booked(50, 5 * MILLION, JOINT), booked(3, 6 * MILLION, JOINT)
    values = came_back(booked(300, MILLION, JOINT), away, since, left=60, back=40)
    assert (values["assets_change_30d"], values["balance_30d_ago"], values["assets_direction"]) == (1e6, 5e6, "rising")


def test_who_went_on_sharing_under_another_role_was_never_away() -> None:
    values = came_back(booked(300, MILLION, JOINT), booked(50, 5 * MILLION, JOINT), left=40, back=40)
    assert (values["assets_change_30d"], values["assets_change_90d"]) == (0.0, 4e6)


def test_an_account_that_slept_before_it_was_joined_is_no_rise() -> None:
    values = values_of(booked(20, 2 * MILLION, JOINT), roles=joined_since(5))
    assert (values["balance_30d_ago"], values["balance_lowest_90d"]) == (3e6, 3e6)


def test_wealth_that_was_bought_before_is_held_all_the_same_and_no_more_when_the_link_has_ended() -> None:
    wealth = [
        event("wealth.purchased", NOON - days * DAY_MS, JOINT, minor=MILLION, balance=0, direction="debit")
        for days in (300, 100)
    ]
    here = values_of(*wealth, roles=joined_since(150))
    assert (here["assets"], here["assets_change_30d"], here["assets_change_90d"]) == (3e6, 0.0, 0.0)
    gone = values_of(*wealth, roles=joined_since(150, until=10))
    assert (gone["assets"], gone["assets_change_30d"]) == (1e6, 0.0)


def paid_monthly(account: str, months: int) -> list[ChannelEvent]:
    """A salary each month up to 40 days ago, and ten payments."""
    paid = [
        event("salary.credited", NOON - (40 + 30 * back) * DAY_MS, account, id=f"s{account}{back}", minor=900_000,
              counterparty=Counterparty(account_no="1", bank="B1"), direction="credit")
        for back in range(months)
    ]  # fmt: skip
    return paid + [
        event("transfer.sent", NOON - days * DAY_MS, account, id=f"d{account}{days}", minor=100, direction="debit")
        for days in range(40, 50)
    ]


@pytest.mark.parametrize(("until", "overdue"), [(None, True), (35, False)], ids=["shared", "shared no more"])
def test_who_shares_an_account_no_more_waits_for_no_salary_on_it_and_pays_nothing_from_it(
    until: int | None, overdue: bool
) -> None:
    joint = {JOINT: ("joint", BEGINNING, END if until is None else NOON - until * DAY_MS)}
    values = facts_told(summary_of(paid_monthly(JOINT, 8), roles=joint))
    assert values["has_salary"]
    assert (bool(values["salary_missed"]), bool(values["days_since_customer_debit"])) == (overdue, overdue)


def test_a_salary_that_moved_to_an_own_account_before_the_share_ended_is_waited_for() -> None:
    shared, own = paid_monthly(JOINT, 8), paid_monthly(ACCOUNT, 2)
    roles = {JOINT: ("joint", BEGINNING, NOON - 75 * DAY_MS), ACCOUNT: ("owner", BEGINNING, END)}
    assert facts_told(summary_of([*shared[2:], *own], roles=roles))["salary_missed"]


def test_a_salary_of_an_account_that_is_shared_again_is_waited_for() -> None:
    spans = [(NOON - 300 * DAY_MS, NOON - 35 * DAY_MS), (NOON - 20 * DAY_MS, END)]
    cuts, paid = sorted({one for span in spans for one in span} - {END}), paid_monthly(JOINT, 8)
    segments = Segments.of(cuts, paid, product_fold())
    parts = [part_of(Membership(ME, JOINT, "joint", *span), cuts, segments.heads, segments.months) for span in spans]
    values = facts_told(summary_of([], parts=parts, state=total(parts)))
    assert (values["has_salary"], values["salary_missed"]) == (True, 1.0)
