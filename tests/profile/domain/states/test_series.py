"""What the declared series and candidates ask of an event beyond its type, flow and direction."""

import msgspec
import pytest

from schemas.catalogue import load_catalogue
from schemas.changes import Fact
from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.series import CandidateRule, Counting, Declared, SeriesRule, Where, holds
from services.profile.domain.states.state import Cell, State
from tests.profile.domain.gathered import ME, facts_told, summary_of
from tests.profile.domain.happenings import NOON, event, fold_of, product_fold, reversal

CARD = "card:1"


def paid(number: int = 0, **fields: object) -> ChannelEvent:
    return event("card.paid", NOON - number * DAY_MS, CARD, id=f"p{number}", minor=10_000, direction="debit", **fields)


def measured(*events: ChannelEvent) -> dict[str, Fact]:
    return facts_told(summary_of(list(events)))


def test_a_flag_among_the_attributes_is_asked_for_as_text() -> None:
    values = measured(*(paid(number, attributes={"foreign": number < 2}) for number in range(4)))
    assert values["foreign_payments_14d"] == 2


def test_what_is_told_and_is_none_of_these_is_counted() -> None:
    countries = [
        {"merchant_country": "JP"},
        {"merchant_country": "CN"},
        {},
        {"merchant_country": "TH", "foreign": True},
    ]
    values = measured(*(paid(number, attributes=told) for number, told in enumerate(countries)))
    assert (values["payments_abroad_14d"], values["foreign_payments_14d"]) == (2, 1)


def test_a_reversal_that_repeats_what_the_original_was_counted_by_takes_it_out_again() -> None:
    original = event(
        "fee.charged", NOON - DAY_MS, minor=1000, direction="debit", attributes={"fee_kind": "foreign_atm"}
    )
    assert measured(original)["friction_fees_30d"] == 1
    cancelled = reversal(original, NOON)
    repeated = msgspec.structs.replace(cancelled, attributes=cancelled.attributes[:-1] + b',"fee_kind":"foreign_atm"}')
    assert measured(original, repeated)["friction_fees_30d"] == 0


@pytest.mark.parametrize(("kind", "counted"), [("acquirer", 1), ("employer", 0)])
def test_the_sources_word_for_the_other_side_is_asked_for(kind: str, counted: int) -> None:
    credit = event(
        "transfer.received", NOON, minor=5000, direction="credit", counterparty=Counterparty(kind=kind, name="p_a")
    )
    assert measured(credit)["business_credits_30d"] == counted


def test_a_credit_of_nobody_known_is_no_business() -> None:
    assert measured(event("transfer.received", NOON, minor=5000, direction="credit"))["business_credits_30d"] == 0


def test_a_candidate_may_ask_for_an_attribute_whatever_its_value() -> None:
    plain = event("page.viewed", NOON, ME, id="a", attributes={"page": "/funds"})
    asked = event("page.viewed", NOON, ME, id="b", attributes={"page": "/loan", "reason": "payout_quote"})
    (moment,) = summary_of([plain, asked]).moments
    assert (moment.kind, moment.values["reason"]) == ("asked_online", "payout_quote")


def test_marketing_is_counted_by_contact_channel_and_service_messages_are_not() -> None:
    def wrote(number: int, purpose: str, channel: str) -> ChannelEvent:
        told = {"purpose": purpose, "contact_channel": channel}
        return event("message.sent", NOON - number * DAY_MS, ME, id=f"m{number}", attributes=told)

    values = measured(
        wrote(1, "marketing", "email"),
        wrote(2, "marketing", "sms"),
        wrote(3, "service", "sms"),
        wrote(9, "marketing", "sms"),
    )
    names = ("marketing_messages_7d", "marketing_emails_7d", "marketing_sms_7d")
    assert [values[name] for name in names] == [2, 1, 1]


@pytest.mark.parametrize(
    ("where", "counted"),
    [
        (Where(), "abcd"), (Where(types=("card.paid",)), "abcd"), (Where(types=("card.declined",)), ""),
        (Where(flows=("card",)), "ad"), (Where(not_flows=("card",)), "bc"), (Where(channels=("mobile",)), "b"),
        (Where(direction="debit"), "abcd"), (Where(direction="credit"), ""),
        (Where(attributes={"country": ()}), "ab"), (Where(attributes={"country": ("JP",)}), "a"),
        (Where(not_attributes={"country": ("CN",)}), "a"), (Where(party_kinds=("own",)), "d"),
    ],
    ids=lambda told: str(told)[:60],
)  # fmt: skip
def test_all_that_is_asked_of_an_event_must_hold_for_series_and_candidates(where: Where, counted: str) -> None:
    declared = Declared(1, (SeriesRule("seen", where),), (CandidateRule("seen", where),))
    fold = Fold(load_catalogue(), Counting(declared), 1)
    found, candidates = "", ""
    for name, told in {
        "a": paid(attributes={"country": "JP"}),
        "b": paid(attributes={"country": "CN", "purpose": "fee"}, channel="mobile"),
        "c": paid(attributes={"purpose": "fee"}),
        "d": paid(counterparty=Counterparty(kind="own")),
    }.items():
        state = State()
        fold.add(state, told)
        found += name * ("seen" in state.months[month_of(NOON)].totals)
        candidates += name * ("seen" in state.head.latest)
    assert (found, candidates) == (counted, counted)


def test_only_candidates_of_the_direction_of_a_reversal_are_taken_back() -> None:
    rules = tuple(CandidateRule(one, Where(direction=one)) for one in ("debit", "credit"))
    assert Counting(Declared(1, (), rules)).candidates_of("debit") == ("debit",)


def test_what_asks_for_attributes_and_for_the_other_side_is_counted_once() -> None:
    both = SeriesRule("seen", Where(attributes={"country": ("JP",)}, party_kinds=("own",)))
    fold, state = Fold(load_catalogue(), Counting(Declared(1, (both,), ())), 1), State()
    for told in ({"country": "JP"}, {"country": "CN"}, {}):
        fold.add(state, paid(attributes=told, counterparty=Counterparty(kind="own")))
    fold.add(state, paid(attributes={"country": "JP"}))
    assert state.months[month_of(NOON)].totals["seen"] == Cell(1, 0)


@pytest.mark.parametrize(
    ("kind", "told", "is_income"),
    [("employer", {}, True), ("employer", {"purpose": "other"}, False), ("friend", {}, False)],
)
def test_who_pays_tells_what_a_credit_is_for_where_its_source_does_not(
    kind: str, told: dict[str, str], is_income: bool
) -> None:
    credit = event(
        "transfer.received", NOON, minor=900_000, direction="credit", attributes=told,
        counterparty=Counterparty(bank="OTHB", kind=kind),
    )  # fmt: skip
    assert ("income" in fold_of([credit]).head.latest) is is_income
    cancelled = reversal(credit, NOON)
    if told:
        repeated = cancelled.attributes[:-1] + b"," + msgspec.json.encode(told)[1:]
        cancelled = msgspec.structs.replace(cancelled, attributes=repeated)
    both = fold_of([credit, cancelled])
    assert both.months[month_of(NOON)].totals.get("income:CNY", Cell(0, 0)) == Cell(0, 0)
    assert all(one.cancelled for one in both.head.latest.get("income", []))


def test_a_value_between_stars_is_one_that_is_contained() -> None:
    where = Where(attributes={"page": ("*rate*", "/start")})
    pages = {"/loan/rates": True, "/start": True, "/start/loan": False}
    for page, counted in pages.items():
        assert holds(where, paid(), {"page": page}) is counted


@pytest.mark.parametrize(
    ("told", "is_urgent"),
    [
        (event("case.opened", NOON, "case:1", attributes={"case_kind": "complaint"}), True),
        (event("transfer.sent", NOON, minor=5_000_000, direction="debit"), True),
        (event("transfer.sent", NOON, minor=4_999_999, balance=1, direction="debit"), False),
        (event("salary.credited", NOON, minor=900_000, direction="credit"), False),
        (event("fee.charged", NOON, minor=5_000_000, direction="debit"), False),
        (event("login.succeeded", NOON, "login:1"), False),
        (event("bell.rang", NOON), False),
    ],
    ids=["its type says so", "much money", "a large part of little", "a payday", "no candidate", "a login", "unknown"],
)
def test_an_event_is_urgent_by_its_type_or_by_its_amount(told: ChannelEvent, is_urgent: bool) -> None:
    assert product_fold().add(State(), told) is is_urgent


def test_an_event_is_urgent_whichever_of_the_candidates_that_it_is_has_the_floor_it_reaches() -> None:
    rules = (CandidateRule("large", Where(), floor_minor=10_000), CandidateRule("any", Where()))
    for declared in (rules, rules[::-1]):
        fold = Fold(load_catalogue(), Counting(Declared(1, (), declared)), 1)
        assert fold.add(State(), paid()) is True
        assert fold.add(State(), paid(channel="pos")) is True
