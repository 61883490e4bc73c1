"""What single events leave in a state, and what takes it away again."""

from itertools import permutations

import msgspec
import pytest

from schemas.events import ChannelEvent, Counterparty, Money
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.combine import combine
from services.profile.domain.states.fold import CODE_VERSION, VERSIONS_APART, cancels, effective_at, months_touched
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.domain.states.state import (
    HOURS_KEPT,
    KEYS_KEPT,
    LATEST_KEPT,
    MANY,
    MONTHS_KEPT,
    Activity,
    Cell,
    State,
)
from tests.profile.domain.happenings import ACCOUNT, NOON, event, fold_of, product_fold, reversal


def withdrawal(at: int = NOON, number: str = "w", minor: int = 50_000) -> ChannelEvent:
    return event("cash.withdrawn", at, id=number, minor=minor, direction="debit", balance=100_000)


def test_a_reversed_movement_is_out_of_its_type_and_its_day_whichever_came_first() -> None:
    original = withdrawal(NOON - 3 * DAY_MS)
    cancelled = reversal(original, NOON)
    for events in ([original, cancelled], [cancelled, original]):
        day = fold_of(events).months[month_of(original.occurred_at)].days[original.occurred_at // DAY_MS]
        assert (day["outflow:CNY"], day["cash_out:CNY"]) == (Cell(0, 0), Cell(0, 0))


def test_a_movement_of_which_a_part_is_cancelled_stays_one_of_less_whichever_came_first() -> None:
    original = event("transfer.sent", NOON - DAY_MS, id="big", minor=9_000_000, direction="debit",
                     counterparty=Counterparty(account_no="7", bank="OTHR"))  # fmt: skip
    part = reversal(original, NOON, part=2_000_000)
    for events in ([original, part], [part, original]):
        state = fold_of(events)
        month = state.months[month_of(original.occurred_at)]
        left = Cell(1, 7_000_000)
        assert (month.totals["outflow:CNY"], month.totals["transfer_out:CNY"]) == (left, left)
        assert month.parties["debit:CNY"] == {"OTHR/7": left}
        (candidate,) = state.head.latest["large_debit"]
        assert (candidate.event_id, candidate.stands, candidate.minor) == ("big", True, 7_000_000)


def test_a_candidate_of_which_parts_were_taken_back_stands_until_nothing_of_it_is_left() -> None:
    original = event("transfer.sent", NOON - DAY_MS, id="big", minor=9_000_000, direction="debit")
    first, second = (reversal(original, NOON + n, part=n * 3_000_000, id=f"part{n}") for n in (1, 2))
    for events in permutations([original, first, second]):
        told = [fold_of(list(events[:number])).head.latest["large_debit"] for number in (1, 2, 3)]
        assert [one.stands for (one,) in told] == [events[0] is original, original in events[:2], False]
        joined = combine(fold_of(list(events[:1])), fold_of(list(events[1:])))
        assert joined.head.latest["large_debit"] == told[-1]


def test_a_reversal_of_all_that_it_says_was_moved_leaves_no_movement() -> None:
    original = event("transfer.sent", NOON - DAY_MS, id="big", minor=9_000_000, direction="debit")
    state = fold_of([original, reversal(original, NOON, part=9_000_000)])
    assert state.months[month_of(original.occurred_at)].totals["outflow:CNY"] == Cell(0, 0)
    assert [(one.event_id, one.cancelled) for one in state.head.latest["large_debit"]] == [("big", True)]


@pytest.mark.parametrize("bank", ["OTHR", ""])
def test_a_movement_reversed_twice_is_cancelled_once_whatever_came_first(bank: str) -> None:
    original = event("transfer.sent", NOON - DAY_MS, id="t", minor=9_000_000, direction="debit",
                     counterparty=Counterparty(account_no="7", bank=bank, name="p_x"))  # fmt: skip
    once, again = reversal(original, NOON), reversal(original, NOON + HOUR_MS, id="again")
    for told in permutations([original, once, again]):
        for events in (list(told), [*told, event("login.failed", NOON)]):
            state = fold_of(events)
            month = state.months[month_of(original.occurred_at)]
            hour = state.head.hours[original.occurred_at // HOUR_MS]
            assert month.totals["outflow:CNY"] == month.days[original.occurred_at // DAY_MS]["outflow:CNY"] == Cell()
            assert month.parties["debit:CNY"] == {f"{bank}/7#p_x": Cell()}
            day = (month.banks if bank else month.names)[original.occurred_at // DAY_MS]
            assert day == {f"debit:CNY:{bank or 'p_x'}": Cell()}
            assert hour["outflow:CNY"] == Cell()


def test_what_is_done_after_a_movement_was_reversed_twice_counts_in_full() -> None:
    original = withdrawal(NOON - DAY_MS)
    later, sooner = reversal(original, NOON + 1, id="again"), reversal(original, NOON)
    state = fold_of([later, original, withdrawal(NOON - DAY_MS, "other"), sooner])
    assert state.months[month_of(NOON - DAY_MS)].totals["cash_out:CNY"] == Cell(1, 50_000)


def test_a_reversal_finds_its_movement_though_that_ones_clock_was_hours_ahead() -> None:
    original = withdrawal(NOON + 12 * HOUR_MS)
    assert original.occurred_at // DAY_MS > NOON // DAY_MS
    day = fold_of([original, reversal(original, NOON)]).months[month_of(NOON)].days[original.occurred_at // DAY_MS]
    assert day["outflow:CNY"] == Cell(0, 0)


def test_what_cannot_have_been_there_to_be_reversed_counts_at_the_time_of_its_reversal() -> None:
    original = event("transfer.sent", NOON + 40_000 * DAY_MS, minor=1_000)
    state = fold_of([reversal(original, NOON)])
    assert state.months.keys() == {month_of(NOON)}


def test_a_reversal_counts_in_the_time_of_its_movement_and_touches_the_months_of_both() -> None:
    original = withdrawal(NOON - 40 * DAY_MS)
    cancelled = reversal(original, NOON)
    assert (effective_at(original), effective_at(cancelled)) == (original.occurred_at, original.occurred_at)
    assert months_touched(original) == {month_of(original.occurred_at)}
    assert months_touched(cancelled) == {month_of(original.occurred_at), month_of(NOON)}


@pytest.mark.parametrize(("told", "counts_at"), [(-1, NOON), (0, 0), (NOON + DAY_MS, NOON + DAY_MS),
                                                (NOON + DAY_MS + 1, NOON), ("yesterday", NOON)])  # fmt: skip
def test_a_time_is_believed_from_1970_to_a_day_after_the_reversal(told: object, counts_at: int) -> None:
    cancelled = event("transaction.reversed", attributes={"original_id": "w", "original_occurred_at": told})
    assert effective_at(cancelled) == counts_at


def test_a_reversed_payment_in_is_no_candidate_any_more() -> None:
    original = event("transfer.received", NOON - DAY_MS, id="in", minor=90_000_000, direction="credit")
    kept = fold_of([original]).head.latest
    latest = fold_of([original, reversal(original, NOON)]).head.latest
    assert kept
    assert all(one.cancelled for name in kept for one in latest[name])


def test_a_reversal_of_what_moved_no_money_leaves_no_tombstone() -> None:
    """An instalment is told beside the booking that pays it."""
    for kind, has_moved in (("loan.instalment_paid", False), ("transfer.sent", True)):
        told = event(kind, NOON - DAY_MS, minor=9_000_000, direction="debit")
        assert ("large_debit" in fold_of([reversal(told, NOON)]).head.latest) is has_moved


def test_a_month_begins_on_its_first_day_beyond_the_calendar_of_the_library_too() -> None:
    for month in range(1970 * 12, 12_000 * 12, 7):
        assert month_of(first_day_of(month) * DAY_MS) == month
        assert month_of(first_day_of(month) * DAY_MS - 1) == month - 1


def test_a_reversed_candidate_stays_as_a_tombstone_in_its_place() -> None:
    original = event("transfer.sent", NOON - DAY_MS, id="big", minor=9_000_000, direction="debit")
    for events in ([original, reversal(original, NOON)], [reversal(original, NOON), original]):
        (candidate,) = fold_of(events).head.latest["large_debit"]
        assert (candidate.at, candidate.event_id, candidate.cancelled) == (NOON - DAY_MS, "big", True)


def test_a_reversal_tells_the_balance_after_it() -> None:
    original = withdrawal(NOON - DAY_MS)
    state = fold_of([original, reversal(original, NOON, balance=150_000)])
    assert state.head.things[ACCOUNT]["balance"].value == [150_000, "CNY"]


def test_money_counts_only_from_the_source_of_record_and_activity_from_every_source() -> None:
    booking = withdrawal()
    report = event("cash.withdrawn", NOON, id="a1", source="atm", channel="atm", minor=50_000, direction="debit",
                   of_record=False)  # fmt: skip
    state = fold_of([booking, report])
    assert state.months[month_of(NOON)].totals["cash_out:CNY"] == Cell(1, 50_000)
    assert set(state.head.activity[""]) == {"corebank", "atm"}
    assert (state.head.first_at, state.head.newest_at, state.head.count) == (NOON, NOON, 2)


def test_a_balance_is_taken_from_the_source_of_record_alone() -> None:
    report = event("cash.withdrawn", NOON + 1, id="a1", source="atm", minor=1, direction="debit", balance=7,
                   of_record=False)  # fmt: skip
    assert fold_of([withdrawal(), report]).head.things[ACCOUNT]["balance"].value == [100_000, "CNY"]
    assert ACCOUNT not in fold_of([report]).head.things


def test_the_last_writer_of_one_instant_is_the_one_of_higher_sequence() -> None:
    first = event("cash.deposited", NOON, id="b", sequence=1, minor=1, direction="credit", balance=1)
    second = event("cash.deposited", NOON, id="a", sequence=2, minor=1, direction="credit", balance=2)
    assert fold_of([second, first]).head.things[ACCOUNT]["balance"].value == [2, "CNY"]


def test_of_one_instant_what_has_no_sequence_comes_first_and_what_ends_comes_after_what_begins() -> None:
    bare = event("cash.deposited", NOON, id="z", minor=1, direction="credit", balance=1)
    first = event("cash.deposited", NOON, id="a", sequence=0, minor=1, direction="credit", balance=2)
    assert fold_of([first, bare]).head.things[ACCOUNT]["balance"].value == [2, "CNY"]
    opened, resolved = event("case.opened", NOON, "case:1", id="z"), event("case.resolved", NOON, "case:1", id="a")
    assert fold_of([resolved, opened]).head.things["case:1"]["status"].value == "resolved"


def test_activity_is_counted_by_actor_and_channel_with_its_first_and_last_time() -> None:
    told = [event("login.succeeded", NOON + later, channel="mobile", actor="party:1") for later in (5, 0, 9, 3)]
    told += [event("login.succeeded", NOON + 99, channel="online"), event("login.failed", NOON, channel="mobile")]
    activity = fold_of(told).head.activity
    assert activity == {
        "party:1": {"mobile": Activity(NOON, NOON + 9, 4)},
        "": {"online": Activity(NOON + 99, NOON + 99, 1), "mobile": Activity(NOON, NOON, 1)},
    }


def test_what_is_put_together_has_many_counterparties_where_one_part_has_or_both_have_too_many() -> None:
    def paid(numbers: range) -> State:
        return fold_of([
            event("transfer.sent", NOON, id=f"t{number}", minor=1, direction="debit",
                  counterparty=Counterparty(account_no=str(number), bank="OTHR"))
            for number in numbers
        ])  # fmt: skip

    def kept(*parts: State) -> int | None:
        found = combine(*parts).months[month_of(NOON)].parties["debit:CNY"]
        return None if found == {MANY: Cell()} else len(found)

    half, rest, beyond = paid(range(32)), paid(range(32, KEYS_KEPT)), paid(range(32, KEYS_KEPT + 1))
    many, one = paid(range(KEYS_KEPT + 1)), paid(range(1))
    assert [kept(half, rest), kept(half, beyond), kept(many, one), kept(one, many)] == [KEYS_KEPT, None, None, None]


def test_the_version_of_a_fold_is_of_its_code_and_of_what_is_declared() -> None:
    declared = load_declarations().series.version
    assert product_fold().version == CODE_VERSION * VERSIONS_APART + declared


def test_too_many_counterparties_in_a_month_become_many_for_good() -> None:
    events = [
        event(
            "transfer.sent",
            NOON,
            id=f"t{number}",
            minor=1,
            direction="debit",
            counterparty=Counterparty(account_no=str(number), bank="OTHR"),
        )
        for number in range(KEYS_KEPT + 1)
    ]
    month = fold_of(events).months[month_of(NOON)]
    assert list(month.parties["debit:CNY"]) == [MANY]
    assert month.banks[NOON // DAY_MS] == {"debit:CNY:OTHR": Cell(KEYS_KEPT + 1, KEYS_KEPT + 1)}


def test_a_state_holds_no_binary_fractions() -> None:
    opened = event("term_deposit.opened", subject="contract:1", attributes={"interest_rate": 1.65, "term_months": 12.0})
    thing = fold_of([opened]).head.things["contract:1"]
    assert (thing["interest_rate"].value, thing["term_months"].value) == ("1.65", 12)


def test_an_account_that_was_opened_for_nobody_named_has_no_holder() -> None:
    opened = event("account.opened", identifiers={"customer_no": "7"})
    for told, holders in ((opened, ["holder/7"]), (event("account.opened"), [])):
        assert [name for name in fold_of([told]).head.things[ACCOUNT] if name.startswith("holder/")] == holders


def test_a_loans_principal_survives_its_instalments() -> None:
    granted = event("loan.granted", NOON - DAY_MS, subject="loan:1", minor=1_000_000)
    due = event("loan.instalment_due", NOON, subject="loan:1", minor=50_000)
    assert fold_of([granted, due]).head.things["loan:1"]["principal"].value == [1_000_000, "CNY"]


def test_hours_are_kept_for_eight_days_and_days_beyond_them() -> None:
    old = event("login.failed", NOON - 9 * DAY_MS, id="old")
    state = fold_of([old, event("login.failed", NOON, id="new")])
    assert list(state.head.hours) == [NOON // HOUR_MS]
    assert {old.occurred_at // DAY_MS, NOON // DAY_MS} == {day for part in state.months.values() for day in part.days}


def test_only_the_newest_candidates_are_kept() -> None:
    events = [
        event("feedback.given", NOON + number, id=f"f{number:03}", attributes={"score": 5}) for number in range(40)
    ]
    latest = fold_of(events).head.latest["feedback"]
    assert [one.event_id for one in latest] == [f"f{number:03}" for number in range(40 - LATEST_KEPT, 40)]


def test_the_last_counterparty_that_there_is_room_for_is_still_counted_and_one_more_makes_many() -> None:
    paid = [
        event("transfer.sent", NOON + number, id=f"t{number}", minor=1, direction="debit",
              counterparty=Counterparty(account_no=str(number), bank="OTHR"))
        for number in range(KEYS_KEPT + 1)
    ]  # fmt: skip
    full = fold_of(paid[:-1]).months[month_of(NOON)].parties["debit:CNY"]
    beyond = fold_of([*paid, paid[0]]).months[month_of(NOON)].parties["debit:CNY"]
    assert (len(full), beyond) == (KEYS_KEPT, {MANY: Cell()})


def test_the_hour_that_leaves_the_horizon_is_the_one_eight_days_before_the_newest() -> None:
    first = withdrawal(NOON)
    for hours, kept in ((HOURS_KEPT - 1, True), (HOURS_KEPT, False)):
        newest = event("login.failed", NOON + hours * HOUR_MS)
        for events in ([first, newest], [newest, first]):
            assert (NOON // HOUR_MS in fold_of(events).head.hours) is kept


def test_the_month_that_leaves_the_horizon_is_the_one_so_many_before_the_newest_however_it_is_put_together() -> None:
    newest = event("login.failed", NOON)
    for months, kept in ((MONTHS_KEPT - 1, True), (MONTHS_KEPT, False)):
        old = withdrawal(first_day_of(month_of(NOON) - months) * DAY_MS)
        for state in (fold_of([old, newest]), fold_of([newest, old]), combine(fold_of([old]), fold_of([newest]))):
            assert (month_of(NOON) - months in state.months) is kept


def test_of_two_reversals_that_say_otherwise_the_earlier_one_stands_however_they_are_put_together() -> None:
    original = event("transfer.sent", NOON - DAY_MS, id="t", minor=9_000, direction="debit")
    sooner = reversal(msgspec.structs.replace(original, amount=Money(8_000, "CNY")), NOON)
    again = reversal(original, NOON + HOUR_MS, id="again")
    for first, second, third in permutations([original, sooner, again]):
        for state in (
            fold_of([first, second, third]),
            combine(fold_of([first, second]), fold_of([third])),
            combine(fold_of([first]), fold_of([second, third])),
        ):
            month, hour = (
                state.months[month_of(original.occurred_at)],
                state.head.hours[original.occurred_at // HOUR_MS],
            )
            assert (month.totals["outflow:CNY"], hour["outflow:CNY"]) == (Cell(0, 1_000), Cell(0, 1_000))
            assert month.undone["t"].stamp[0] == NOON


def test_a_movement_is_cancelled_by_a_reversal_of_all_of_it_and_by_nothing_else() -> None:
    original = withdrawal(NOON - 40 * DAY_MS)
    assert cancels(reversal(original, NOON)) == (ACCOUNT, month_of(original.occurred_at), "w")
    assert cancels(reversal(original, NOON, part=40_000)) is None
    assert cancels(reversal(original, NOON, of_record=False)) is None
    assert cancels(original) is None


def test_of_the_other_side_is_kept_what_was_told_and_by_name_alone_only_who_was_paid() -> None:
    def kept(direction: str, **told: str) -> list[list[str]]:
        moved = event("transaction.posted", minor=5, direction=direction, counterparty=Counterparty(**told))
        month = fold_of([moved]).months[month_of(NOON)]
        return [[key for found in one.values() for key in found] for one in (month.parties, month.banks, month.names)]

    assert kept("debit") == kept("credit") == [[], [], []]
    assert kept("debit", name="p_x") == [["p_x"], [], ["debit:CNY:p_x"]]
    assert kept("credit", name="p_x") == [["p_x"], [], []]
    assert kept("credit", bank="OTHA") == [["OTHA/"], ["credit:CNY:OTHA"], []]


def test_only_what_is_declared_so_is_kept_by_the_hour() -> None:
    state = fold_of([event("login.failed"), event("login.succeeded")])
    assert {"logins", "failed_logins"} <= state.months[month_of(NOON)].totals.keys()
    assert state.head.hours[NOON // HOUR_MS].keys() == {"failed_logins"}
