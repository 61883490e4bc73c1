"""Order, grouping and repetition change nothing: the bytes of every state and every membership stay the same."""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.update import Update
from tests.profile.expected import differences, expected, held
from tests.profile.told import CATALOGUE, NOW, SECRET, batch, new_fold, rfc3339, told

FIRST = NOW - 120 * DAY_MS
CUSTOMERS, ACCOUNTS, LOGINS, DEVICES = ("c1", "c2", "c3", "c4", "c5", "c6"), ("a1", "a2"), ("l1", "l2"), ("d1",)
PHONES = ("+8613912345678", "+8613912345679")
ONLINE = {"channel": "mobile"}


class Sent(NamedTuple):
    """`groups` of batches by partition: what the log hands on, and what of it goes into one transaction."""

    events: list[ChannelEvent]
    groups: list[dict[int, list[ChannelEvent]]]


@st.composite
def some_event(draw: st.DrawFn) -> dict[str, object]:
    """Of few subjects and few days, so that they meet; of the types that link, cut and cancel."""
    customer, account = draw(st.sampled_from(CUSTOMERS)), draw(st.sampled_from(ACCOUNTS))
    login, device, phone = (draw(st.sampled_from(names)) for names in (LOGINS, DEVICES, PHONES))
    money = {"amount": {"value": str(draw(st.integers(1, 5)) * 100), "currency": "CNY"}, "direction": "debit"}
    original = {"original_id": str(draw(st.integers(0, 24))), "original_type": "transaction.posted",
                "original_occurred_at": rfc3339(FIRST + draw(st.integers(0, 119)) * DAY_MS)}  # fmt: skip
    former = {"former_phone": draw(st.sampled_from(PHONES))}
    fields: dict[str, object] = draw(st.sampled_from([
        {"kind": "transaction.posted", "account_no": account, **money,
         "balance_after": {"value": "1000", "currency": "CNY"}, "sequence": draw(st.integers(0, 9))},
        {"kind": "transaction.reversed", "account_no": account, **money, "attributes": original},
        {"kind": "account.opened", "account_no": account, "customer_no": customer},
        {"kind": "holder.added", "account_no": account, "customer_no": customer},
        {"kind": "holder.removed", "account_no": account, "customer_no": customer},
        {"kind": "card.issued", "card_no": "card-1", "account_no": account},
        {"kind": "card.paid", "card_no": "card-1", **money, "channel": "pos"},
        {"kind": "login.succeeded", "login": login, "device_id": device, "customer_no": customer, **ONLINE},
        {"kind": "page.viewed", "device_id": device, "attributes": {"page": "home"}, **ONLINE},
        {"kind": "customer.registered", "customer_no": customer, "phone": phone,
         "attributes": {"kind": "person", "name": draw(st.sampled_from(["Li", "Wang"]))}},
        {"kind": "phone.changed", "customer_no": customer, "phone": phone, "attributes": former},
        {"kind": "household.joined", "customer_no": customer, "household_no": "h1"},
        {"kind": "household.left", "customer_no": customer, "household_no": "h1"},
        {"kind": "case.opened", "case_id": "case-1", "customer_no": customer,
         "attributes": {"case_kind": "complaint", "reason": "fees"}},
        {"kind": "case.resolved", "case_id": "case-1"},
    ]))  # fmt: skip
    return {"channel": "corebank", **fields, "at": FIRST + draw(st.integers(0, 119)) * DAY_MS}


@st.composite
def sent(draw: st.DrawFn) -> Sent:
    drawn = draw(st.lists(some_event(), min_size=1, max_size=25))
    events = [told(event_id=str(place), **one) for place, one in enumerate(drawn)]  # type: ignore[arg-type]  # fields of one event
    repeats = draw(st.lists(st.sampled_from(events), max_size=8))
    order = draw(st.permutations([*events, *repeats]))
    groups: list[dict[int, list[ChannelEvent]]] = []
    while order:
        group: dict[int, list[ChannelEvent]] = {}
        for partition in draw(st.sets(st.integers(0, 2), min_size=1)):
            size = draw(st.integers(1, 6))
            group[partition], order = order[:size], order[size:]
        groups.append(group)
    return Sent(events, groups)


@settings(max_examples=150, deadline=None)
@given(sent())
async def test_any_order_grouping_and_repetition_give_the_same_states_and_memberships(given_events: Sent) -> None:
    store = MemoryProfileStore(lambda subject: customer_id(subject, SECRET))
    update = Update(store, new_fold(), CATALOGUE, SECRET, SUBJECT_LIMITS)
    starts = [0, 0, 0]
    applied = 0
    for group in given_events.groups:
        done = await update.apply([batch(starts[one], events, one) for one, events in group.items()], NOW)
        for partition, events in group.items():
            starts[partition] += len(events)
        applied += done.applied
        assert done.dead_letters == 0
    assert applied == len(given_events.events)
    assert differences(expected(given_events.events, new_fold()), await held(store)) == []
