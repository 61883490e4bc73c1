"""How an event is recognised when it comes again."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Counterparty, Money
from schemas.instants import DAY_MS
from services.profile.domain.ledger import AROUND_MIDNIGHT_MS, content_hash, days_of, ledger_key
from tests.profile.domain.happenings import NOON, event

TRANSFER = event("transfer.sent", minor=5, direction="debit", balance=7)


@given(st.text("ab:", min_size=3))
def test_no_two_events_share_a_key_however_source_and_id_are_parted(told: str) -> None:
    cuts = range(1, len(told))
    assert len({ledger_key(told[:cut], told[cut:]) for cut in cuts}) == len(cuts)


@pytest.mark.parametrize(
    "other",
    [
        {"type": "card.paid"}, {"channel": "mobile"}, {"subject": "account:2"}, {"actor": "login:1"},
        {"amount": Money(6, "CNY")}, {"amount": Money(5, "USD")}, {"direction": "credit"},
        {"balance_after": Money(8, "CNY")}, {"counterparty": Counterparty(account_no="7")}, {"product": "fund-7"},
        {"attributes": b'{"purpose":"fee"}'}, {"identifiers": {"account_no": "1"}},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_whatever_an_event_says_makes_other_content(other: dict[str, object]) -> None:
    assert content_hash(msgspec.structs.replace(TRANSFER, **other)) != content_hash(TRANSFER)


def test_times_and_sequence_make_no_other_content() -> None:
    again = msgspec.structs.replace(TRANSFER, occurred_at=NOON + 1, accepted_at=NOON + 2, sequence=3)
    assert content_hash(again) == content_hash(TRANSFER)


def test_what_is_accepted_around_midnight_is_entered_on_both_days() -> None:
    midnight, near = 20_000 * DAY_MS, AROUND_MIDNIGHT_MS
    at = {offset: days_of(midnight + offset) for offset in (-near - 1, -near, -near + 1, 0, near - 1, near)}
    assert at == {
        -near - 1: (19_999, None), -near: (19_999, None), -near + 1: (19_999, 20_000),
        0: (20_000, 19_999), near - 1: (20_000, 19_999), near: (20_000, None),
    }  # fmt: skip


def test_what_an_earlier_release_entered_is_known_to_this_one() -> None:
    """Else every event that is sent once more around an upgrade is a conflict with itself."""
    told = msgspec.structs.replace(TRANSFER, counterparty=Counterparty(name="p_x", bank="OTHC"), product="fund-7")
    assert (ledger_key("core", "t-1").hex(), content_hash(told).hex()) == (
        "167dc8f41871ce1d74baadb9818f26a2",
        "53caddc2ae25a2e2",
    )
