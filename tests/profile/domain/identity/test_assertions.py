"""Which links an event asserts: only types that say so, only from a source of record."""

import msgspec

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.identity.assertions import links_of
from services.profile.domain.identity.links import ANY_ROLE, Link
from tests.profile.told import CATALOGUE, NOW, SECRET, opened, paid, told


def asserted(event: ChannelEvent) -> list[Link]:
    return links_of(event, CATALOGUE[event.type], SECRET)


def test_an_opened_account_is_owned_by_its_customer_for_all_its_past() -> None:
    event = opened("6001", "77", NOW)
    [link] = asserted(event)
    assert (link.subject, link.target, link.role) == ("account:6001", "party:77", "owner")
    assert (link.first_at, link.past, link.event_id) == (NOW, True, event.id)


def test_the_role_that_an_event_names_wins_over_the_usual_one() -> None:
    [link] = asserted(opened("6001", "77", NOW, attributes={"role": "joint"}))
    assert link.role == "joint"


def test_what_a_source_that_is_not_of_record_says_links_nobody() -> None:
    assert asserted(msgspec.structs.replace(opened("6001", "77", NOW), of_record=False)) == []


def test_who_meets_an_account_in_a_transaction_is_no_holder_of_it() -> None:
    assert asserted(paid("p-1", NOW, "6001", customer_no="78")) == []


def test_a_sign_in_is_told_by_the_day_so_that_a_repeat_writes_nothing() -> None:
    morning, evening = (
        told("login.succeeded", f"l-{at}", at, channel="mobile", login="lina88", device_id="d-1")
        for at in (NOW, NOW + 1_000)
    )
    [[first], [second]] = asserted(morning), asserted(evening)
    assert first.told_at == second.told_at == (NOW - NOW % DAY_MS,)


def test_a_holder_who_is_removed_ends_the_link_in_every_role() -> None:
    [link] = asserted(told("holder.removed", "r-1", NOW, account_no="6001", customer_no="77"))
    assert (link.role, link.ends, link.first_at) == (ANY_ROLE, (NOW,), None)
