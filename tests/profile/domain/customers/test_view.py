"""The view of a customer: what is shown, of whom, and in which role."""

import msgspec
import pytest

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Completeness, total
from services.profile.domain.customers.parts import part_of
from services.profile.domain.customers.view import complete_up_to
from services.profile.domain.identity.links import BEGINNING, END, Membership
from services.profile.domain.states.segments import Segments
from services.profile.domain.summarise import summarise
from tests.profile.domain.gathered import ME, POLICY, customer_of, facts_told, heard, part, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event, product_fold

REGISTERED = event("customer.registered", NOON - 500 * DAY_MS, ME, attributes={"kind": "person", "name": "p_li"})
OPENED = event(
    "account.opened", NOON - 400 * DAY_MS, identifiers={"customer_no": "1", "account_no": "1"},
    attributes={"account_kind": "current"}, product="current",
)  # fmt: skip
PAID_IN = event("cash.deposited", NOON - DAY_MS, minor=120_050, direction="credit", balance=120_050, channel="counter")


def test_an_account_shows_its_balance_in_major_units_with_its_time() -> None:
    (account,) = summary_of([REGISTERED, OPENED, PAID_IN]).body["accounts"]
    assert account["account_no"] == "1"
    assert account["balance"] == {"value": "1200.50", "currency": "CNY"}
    assert account["as_of"] == "2026-09-20T14:13:20Z"
    assert (account["role"], account["status"], account["product"]) == ("owner", "open", "current")


def test_a_person_field_tells_its_source_and_keeps_its_reference() -> None:
    summary = summary_of([REGISTERED])
    assert summary.body["person"]["name"] == {"value": "p_li", "source": "core", "as_of": "2025-05-09T14:13:20Z"}
    assert summary.name_ref == "p_li"


def test_an_attorney_sees_the_account_but_has_none_of_its_money_or_behaviour() -> None:
    summary = summary_of([REGISTERED, OPENED, PAID_IN], roles={ACCOUNT: "attorney"})
    assert [account["role"] for account in summary.body["accounts"]] == ["attorney"]
    assert facts_told(summary)["balance_total"] == 0
    assert facts_told(summary)["inflow_30d"] == 0
    assert summary.body["channels"].keys() == {"corebank"}


def test_other_holders_of_a_joint_account_are_counted_and_those_who_left_are_not() -> None:
    added = [
        event("holder.added", NOON - 10 * DAY_MS + number, id=f"h{number}", identifiers={"customer_no": str(number)})
        for number in (2, 3, 5)
    ]
    signs = event("holder.added", NOON, id="h4", identifiers={"customer_no": "4"}, attributes={"role": "signatory"})
    left = event("holder.removed", NOON, id="gone", identifiers={"customer_no": "3"})
    body = summary_of([REGISTERED, OPENED, *added, signs, left]).body
    (account,) = body["accounts"]
    assert [one["customer_no"] for one in account["holders"]] == ["1", "2", "4", "5"]
    assert account["other_holders"] == 2
    assert body["signatories"] == [{"customer_no": "4", "role": "signatory", "account_no": "1"}]


def test_who_was_removed_from_an_account_sees_until_when_he_or_she_was_a_holder() -> None:
    own = event("holder.added", NOON - 10 * DAY_MS, id="own", identifiers={"customer_no": "1"})
    other = event("holder.added", NOON - 10 * DAY_MS, id="other", identifiers={"customer_no": "2"})
    left = event("holder.removed", NOON - DAY_MS, id="gone", identifiers={"customer_no": "1"})
    ended = ("joint", NOON - 10 * DAY_MS, NOON - DAY_MS)
    (account,) = summary_of([REGISTERED, own, other, left], roles={ACCOUNT: ended}).body["accounts"]
    assert account["until"] == "2026-09-20T14:13:20Z"
    assert {one["customer_no"]: one["until"] for one in account["holders"]} == {"1": account["until"], "2": None}


def test_an_account_that_is_linked_twice_is_shown_in_the_strongest_role_that_holds_now() -> None:
    ended, older = ("owner", BEGINNING, NOON - DAY_MS), ("attorney", NOON - 9 * DAY_MS, END)
    for other, role in (
        (("joint", NOON - 5 * DAY_MS, END), "joint"),
        (("attorney", NOON - 5 * DAY_MS, END), "attorney"),
    ):
        for spans in ([ended, older, other], [other, older, ended]):
            parts = [part([OPENED, PAID_IN], ACCOUNT, *span) for span in spans]
            (account,) = summary_of([], parts=parts, state=total(parts)).body["accounts"]
            assert (account["role"], account["since"]) == (role, "2026-09-16T14:13:20Z")


def test_who_holds_an_account_no_more_sees_it_as_it_was_when_the_link_ended() -> None:
    later = event("cash.deposited", NOON, minor=1, direction="credit", balance=9_900_000)
    body = summary_of([OPENED, PAID_IN, later], roles={ACCOUNT: ("joint", BEGINNING, NOON)}).body
    (account,) = body["accounts"]
    assert account["balance"] == {"value": "1200.50", "currency": "CNY"}


def test_a_card_that_is_linked_twice_is_shown_as_it_is_linked_now() -> None:
    blocked, spans = event("card.issued", NOON, "card:1"), [(BEGINNING, NOON - 5), (NOON - 9, END), (NOON - 5, END)]
    for order in (spans, spans[::-1]):
        parts = [part([blocked], "card:1", "owner", *span) for span in order]
        (shown,) = summary_of([], parts=parts, state=total(parts)).body["identifiers"]
        assert (shown["since"], shown["until"]) == ("2026-09-21T14:13:19.995Z", None)


@pytest.mark.parametrize(
    ("subject", "told", "fact"),
    [("contract:1", "term_deposit.opened", "deposits_open"), ("loan:1", "loan.granted", "loans_open"),
     ("account:1", "account.opened", "accounts_open"), ("mandate:1", "standing_order.set_up", "mandates_active")],
)  # fmt: skip
def test_what_somebody_shared_before_and_shares_again_is_held(subject: str, told: str, fact: str) -> None:
    """Nothing was told of it between the two links, so that both know it alike."""
    began = event(told, NOON - 9 * DAY_MS, subject, attributes={"matures_on": "2027-01-07"})
    known = Segments.of([NOON - 5, NOON - 3], [began], product_fold())
    for spans in ([(BEGINNING, NOON - 5), (NOON - 3, END)], [(NOON - 3, END), (BEGINNING, NOON - 5)]):
        members = [Membership(ME, subject, "joint", *span) for span in spans]
        parts = [part_of(one, known.cuts, known.heads, known.months) for one in members]
        assert facts_told(summary_of([], parts=parts, state=total(parts)))[fact] == 1


def test_a_case_is_open_unless_it_is_resolved_whatever_is_told_of_it_first() -> None:
    def shown(*told: ChannelEvent) -> tuple[str, bool]:
        (case,) = summary_of([REGISTERED, *told]).body["cases"]
        return case["status"], case["overdue"]

    opened = event("case.opened", NOON - 9 * DAY_MS, "case:1", attributes={"due_at": NOON})
    overdue, resolved = event("case.overdue", NOON - 5, "case:1"), event("case.resolved", NOON - 3, "case:1")
    again, later = event("case.reopened", NOON - 2, "case:1"), event("case.overdue", NOON - 1, "case:1")
    assert shown(opened) == ("open", False), "the due time is not over yet"
    assert shown(overdue) == ("open", True)
    assert shown(opened, overdue, resolved) == ("resolved", False)
    assert shown(resolved) == ("resolved", False)
    assert shown(opened, overdue, resolved, again) == ("open", False), "who opens it again begins anew"
    assert shown(opened, overdue, resolved, again, later) == ("open", True)


def test_cases_come_with_the_newest_first_and_those_of_others_not_at_all() -> None:
    told = [event("case.opened", NOON - days * DAY_MS, f"case:{9 - days}") for days in (2, 3, 1)]
    only_overdue = event("case.overdue", NOON, "case:9")
    cases = summary_of([*told, only_overdue], roles={"case:8": "attorney"}).body["cases"]
    assert [(case["case_id"], case["kind"]) for case in cases] == [
        ("7", "request"), ("6", "request"), ("9", "request"),
    ]  # fmt: skip


def test_contacts_come_with_the_newest_first_and_fifty_of_them() -> None:
    called = [
        event("call.offered", NOON - days * DAY_MS, ME, id=f"c{days:03}", attributes={"contact_id": f"c{days:03}"})
        for days in range(130)
    ]
    called.append(event("call.ended", NOON, ME, attributes={"contact_id": "c030"}))
    shown = [one["contact_id"] for one in summary_of(called).body["contacts"]]
    assert shown == [f"c{days:03}" for days in range(50)]


def test_a_case_that_two_parties_tell_of_is_one_told_by_both_in_the_role_that_is_stronger() -> None:
    opened = event("case.opened", NOON - DAY_MS, "case:1", attributes={"case_kind": "complaint", "topic": "fee"})
    resolved = event("case.resolved", NOON, "case:1")
    for roles in (("self", "attorney"), ("attorney", "self")):
        parts = [part([one], "case:1", role) for one, role in zip((opened, resolved), roles, strict=True)]
        (case,) = summary_of([], parts=parts, state=total(parts)).body["cases"]
        assert (case["status"], case["topic"]) == ("resolved", "fee")


def test_products_mandates_and_accounts_come_by_their_number_with_what_else_is_known_of_them() -> None:
    told = [
        event("card.issued", NOON - number, f"card:{number}", attributes={"expires_on": "2030-01-31", "branch": "B"},
              product="gold")
        for number in (3, 1, 2)
    ]  # fmt: skip
    orders = [event("standing_order.set_up", NOON, f"mandate:{number}") for number in (9, 8)]
    begun = [event("application.started", NOON, f"application:{number}") for number in (7, 6)]
    opened = [event("account.opened", NOON, f"account:{number}") for number in (5, 4)]
    silent = event("card.activated", NOON, "card:0")
    customer = customer_of([*told, *orders, *begun, *opened, silent])
    body = summarise(msgspec.structs.replace(customer, parts=customer.parts[::-1]), POLICY, NOON).body
    assert [one["id"] for one in body["products"]] == ["1", "2", "3"]
    assert list(body["products"][0]["details"].items()) == [
        ("branch", "B"), ("expires_on", "2030-01-31"), ("issued_at", "2026-09-21T14:13:19.999Z"),
    ]  # fmt: skip
    assert [one["mandate_id"] for one in body["mandates"]] == ["8", "9"]
    assert [one["application_id"] for one in body["applications"]] == ["6", "7"]
    assert [one["account_no"] for one in body["accounts"]] == ["4", "5"]


def test_activity_on_a_shared_account_counts_for_its_actor() -> None:
    mine = event("card.paid", NOON, id="m", actor=ME, channel="pos", minor=1, direction="debit")
    theirs = event("card.paid", NOON, id="t", actor="party:2", channel="wechat", minor=1, direction="debit")
    channels = summary_of([REGISTERED, mine, theirs], roles={ACCOUNT: "joint"}).body["channels"]
    assert channels["pos"]["count"] == 1
    assert "wechat" not in channels


@pytest.mark.parametrize("role", ["attorney", "signatory", "guardian"])
def test_what_somebody_does_on_an_account_that_he_or_she_acts_for_is_his_or_her_activity_and_nothing_else(
    role: str,
) -> None:
    mine = event("cash.withdrawn", NOON, id="m", actor=ME, channel="atm", minor=9_000_000, direction="debit")
    owners = [
        event("card.paid", NOON, id="t", actor="party:2", channel="pos", minor=1, direction="debit"),
        event("transfer.sent", NOON, id="u", channel="mobile", minor=1, direction="debit"),
    ]
    summary = summary_of([REGISTERED, mine, *owners], roles={ACCOUNT: role})
    assert {name: used["count"] for name, used in summary.body["channels"].items()} == {"corebank": 1, "atm": 1}
    assert (facts_told(summary)["outflow_30d"], summary.moments) == (0, [])


def test_who_acts_for_an_account_and_holds_it_has_done_there_what_was_done_once() -> None:
    mine = event("cash.withdrawn", NOON, id="m", actor=ME, channel="atm", minor=1, direction="debit")
    parts = [
        part([REGISTERED], ME, "self"),
        *(part([mine], ACCOUNT, role) for role in ("signatory", "joint", "attorney")),
    ]
    for told in (parts, parts[::-1]):
        assert summary_of([], parts=told, state=total(told)).body["channels"]["atm"]["count"] == 1


def test_cases_are_shown_open_ones_first_and_raise_flags() -> None:
    old = event("case.opened", NOON - 9 * DAY_MS, "case:1", attributes={"case_kind": "request"})
    solved = event("case.resolved", NOON - 8 * DAY_MS, "case:1")
    complaint = event("case.opened", NOON - 10 * DAY_MS, "case:2", attributes={"case_kind": "complaint"})
    summary = summary_of([REGISTERED, old, solved, complaint])
    assert [(case["case_id"], case["status"]) for case in summary.body["cases"]] == [("2", "open"), ("1", "resolved")]
    assert summary.body["flags"]["complaint_open"]
    assert facts_told(summary)["open_cases"] == 1


def test_a_case_follows_the_last_of_its_marks_not_the_order_of_arrival() -> None:
    opened = event("case.opened", NOON - 3 * DAY_MS, "case:1", attributes={"case_kind": "complaint"})
    again = event("case.reopened", NOON - DAY_MS, "case:1")
    resolved = event("case.resolved", NOON - 2 * DAY_MS, "case:1")
    values = facts_told(summary_of([again, resolved, opened]))
    assert (values["complaint_open"], values["complaint_reopened"]) == (True, True)


def test_what_several_systems_tell_of_one_contact_is_one_contact() -> None:
    offered = event("call.offered", NOON - 60_000, ME, attributes={"contact_id": "c", "reason": "fee"})
    ended = event("call.ended", NOON, "phone:hash", attributes={"contact_id": "c", "outcome": "solved"})
    (contact,) = summary_of([REGISTERED, offered, ended]).body["contacts"]
    assert (contact["contact_id"], contact["reason"], contact["outcome"]) == ("c", "fee", "solved")


def test_a_consent_withdrawn_by_one_of_two_merged_parties_is_withdrawn() -> None:
    given = event("consent.given", NOON, ME, attributes={"purpose": "marketing"})
    withdrawn = event("consent.withdrawn", NOON - DAY_MS, "party:2", attributes={"purpose": "marketing"})
    summary = summary_of([REGISTERED, given, withdrawn])
    assert summary.body["consents"]["marketing"]["*"]["given"] is False
    assert (facts_told(summary)["marketing_consent"], facts_told(summary)["marketing_refused"]) == (False, True)


def test_within_a_party_a_later_withdrawal_of_all_channels_covers_each() -> None:
    sms = event("consent.given", NOON - DAY_MS, ME, attributes={"purpose": "marketing", "contact_channel": "sms"})
    none = event("consent.withdrawn", NOON, ME, attributes={"purpose": "marketing"})
    assert not summary_of([sms, none]).body["consents"]["marketing"]["sms"]["given"]


def test_personal_flags_come_from_the_customers_own_parties_alone() -> None:
    flagged = event("vulnerability.flagged", NOON, "party:2")
    assert summary_of([REGISTERED, flagged]).body["flags"]["vulnerable"]
    assert not summary_of([REGISTERED, flagged], roles={"party:2": "guardian"}).body["flags"]["vulnerable"]


def test_a_bereavement_is_forgotten_after_a_year() -> None:
    told = event("life_event.recorded", NOON, ME, attributes={"kind": "bereavement"})
    assert summary_of([told], NOON + 300 * DAY_MS).body["flags"]["bereaved"]
    assert not summary_of([told], NOON + 366 * DAY_MS).body["flags"]["bereaved"]


def test_who_left_a_household_flags_it_no_more() -> None:
    told = [
        event("vulnerability.flagged", NOON - 5 * DAY_MS, "party:2"),
        event("life_event.recorded", NOON - 5 * DAY_MS, "party:2", id="l", attributes={"kind": "bereavement"}),
        event("case.opened", NOON - 5 * DAY_MS, "case:1", id="c", attributes={"case_kind": "complaint"}),
        event("case.opened", NOON - 5 * DAY_MS, "case:2", id="f", attributes={"case_kind": "fraud"}),
    ]
    flags, facts = {"complaint_open", "fraud_case", "vulnerable", "bereaved"}, {"complaint_open_days", "open_cases"}
    for until, holds in ((END, True), (NOON, False)):
        roles = {one.subject: ("self", BEGINNING, until) for one in told}
        summary = summary_of([REGISTERED, *told], lead="household:H", roles=roles)
        assert {name for name, value in summary.body["flags"].items() if value} == (flags if holds else set())
        assert {name for name in flags | facts if facts_told(summary)[name]} == (flags | facts if holds else set())


def test_a_household_agrees_to_what_every_member_has_agreed_to_and_to_nothing_more() -> None:
    ours, theirs = (
        event("consent.given", NOON, party, attributes={"purpose": "marketing"}) for party in (ME, "party:2")
    )
    other = event("customer.registered", NOON, "party:2", id="other")
    refused = event("consent.withdrawn", NOON + 1, "party:2", attributes={"purpose": "marketing"})
    for told, agreed, is_refused in (
        ([ours, other], False, False), ([ours, theirs], True, False), ([ours, theirs, refused], False, True),
    ):  # fmt: skip
        facts = facts_told(summary_of([REGISTERED, *told], NOON + 2, lead="household:H"))
        assert (facts["marketing_consent"], facts["marketing_refused"]) == (agreed, is_refused)
    attorney = event("consent.withdrawn", NOON, "party:3", attributes={"purpose": "marketing"})
    summary = summary_of([REGISTERED, ours, attorney], lead="household:H", roles={"party:3": "attorney"})
    assert facts_told(summary)["marketing_consent"]


def test_a_household_counts_a_shared_account_once() -> None:
    events = [OPENED, PAID_IN]
    once, twice = part(events, ACCOUNT, "owner"), part(events, ACCOUNT, "joint")
    counted, alone = total([once, twice]), total([once])
    assert counted.head == alone.head
    assert {n: month.totals for n, month in counted.months.items()} == {n: m.totals for n, m in alone.months.items()}


def test_a_household_lists_its_members_and_has_no_person() -> None:
    body = summary_of([REGISTERED, OPENED, PAID_IN], lead="household:H").body
    assert body["kind"] == "household"
    assert body["members"] == [{"customer_no": "1"}]
    assert body["person"] == {}
    assert body["assets"]["total"] == {"value": "1200.50", "currency": "CNY"}


def test_a_member_sees_the_household_as_its_own_view_tells() -> None:
    body = summary_of([REGISTERED], collectives={"household:H": {"assets": 5.0, "members": 2.0}}).body
    assert body["household"] == {"number": "H", "assets": {"value": "5.00", "currency": "CNY"}, "members": 2}


def test_what_happened_before_a_link_began_stays_with_whoever_had_it() -> None:
    before = event("cash.deposited", NOON - 20 * DAY_MS, id="b", minor=100, direction="credit", balance=100)
    summary = summary_of([before, PAID_IN], roles={ACCOUNT: ("joint", NOON - 2 * DAY_MS, 1 << 62)})
    assert facts_told(summary)["inflow_30d"] == 1200.5
    assert summary.body["accounts"][0]["since"] == "2026-09-19T14:13:20Z"


def test_each_term_of_the_value_is_told_in_its_own_unit() -> None:
    value = summary_of([REGISTERED, OPENED, PAID_IN]).body["value"]
    told = {term["measure"]: term["measured"] for one in value["dimensions"] for term in one["terms"]}
    assert (told["household_assets"], told["families"]) == ({"value": "1200.50", "currency": "CNY"}, 1)


@pytest.mark.parametrize(("erased", "wholly"), [((0, 0), 0), ((5, 0), 0), ((0, 5), 0), ((5, 7), 7), ((7, 5), 7)])
def test_who_was_merged_is_wholly_erased_when_the_last_of_them_was(erased: tuple[int, int], wholly: int) -> None:
    both = ("party:1", "party:2")
    customer = customer_of([REGISTERED, OPENED, event("customer.registered", NOON, "party:2")])
    at = dict(zip(both, erased, strict=True))
    parts = [msgspec.structs.replace(one, erased_at=at.get(one.subject, 0)) for one in customer.parts]
    merged = msgspec.structs.replace(customer, roots=both, parts=parts)
    assert (merged.wholly_erased_at, merged.erased_at) == (wholly, max(erased))


def test_each_channel_is_complete_up_to_the_least_of_its_sources() -> None:
    told = complete_up_to(heard(("atm1",), core="corebank", atm1="atm"), ())
    assert told == {"atm": "2026-09-21T14:13:20Z", "corebank": "2026-09-21T14:13:20Z"}
    for first, second in ((NOON, NOON - 9000), (NOON - 9000, NOON)):
        two = Completeness({"atm1": first, "atm2": second}, {"atm1": "atm", "atm2": "atm"})
        assert complete_up_to(two, ()) == {"atm": "2026-09-21T14:13:11Z"}


def test_a_source_that_speaks_for_any_channel_holds_each_of_them_up() -> None:
    late = Completeness({"bank": NOON - 9000, "atm1": NOON}, {"bank": "*", "atm1": "atm"})
    used = summary_of([REGISTERED, OPENED, PAID_IN]).body["channels"]
    assert complete_up_to(late, used) == dict.fromkeys(("*", "atm", "corebank", "counter"), "2026-09-21T14:13:11Z")


def test_an_anonymous_device_has_a_view_of_its_own() -> None:
    viewed = event("page.viewed", NOON, "device:d", attributes={"page": "/loan"}, channel="online")
    body = summary_of([viewed], lead="device:d").body
    assert (body["kind"], body["tier"]) == ("anonymous", None)
    assert body["identifiers"][0] == {"kind": "device_id", "role": "self", "value": "d", "since": None, "until": None}


def test_a_view_is_json_and_the_same_every_time() -> None:
    first, second = (summary_of([REGISTERED, OPENED, PAID_IN]) for _ in range(2))
    assert msgspec.json.encode(first.body) == msgspec.json.encode(second.body)


def test_a_household_counts_the_time_that_two_links_share_once() -> None:
    earlier, later = (event("fee.charged", at, minor=100, direction="debit") for at in (NOON - 30 * DAY_MS, NOON))
    cuts = [NOON - 50 * DAY_MS, NOON - 10 * DAY_MS]
    segments = Segments.of(cuts, [PAID_IN, earlier, later], product_fold())
    spans = [(cuts[0], END), (BEGINNING, cuts[1])]
    shared = [part_of(Membership(ME, ACCOUNT, "joint", *span), cuts, segments.heads, segments.months) for span in spans]
    assert total(shared).head.count == total(reversed(shared)).head.count == 3
