"""Facts that are no sum over a window, and the events that tell of what they are about: the cases of a complaint, the
salaries from which the usual one was learned."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.reference.reasons import Reasons

LONGEST_DAYS = 760
"""For so long events are kept by default."""

_decode_attributes = msgspec.json.Decoder(dict[str, Any]).decode


class Feed(NamedTuple):
    """All given conditions must hold. `case_kind`: only cases of this kind. `leaving`: only with a reason of those who
    are about to go. `purposes`: plain bookings for one of these count as well."""

    types: tuple[str, ...]
    days: int = LONGEST_DAYS
    case_kind: str = ""
    leaving: bool = False
    purposes: tuple[str, ...] = ()

    @property
    def read(self) -> tuple[str, ...]:
        """The types of which events must be known."""
        return (*self.types, _BOOKING) if self.purposes else self.types

    def since(self, now: int) -> int:
        return now - self.days * DAY_MS + 1


_BOOKING = "transaction.posted"
_CASES = ("case.opened", "case.reopened", "case.overdue", "case.resolved")
_CONTACTS = ("call.offered", "call.answered", "call.ended", "counter.visited", "message.received")
_FAILED_STEPS = ("login.failed", "application.abandoned", "chat.abandoned", "transaction.declined")
_SALARIES = Feed(("salary.credited",), 400, purposes=("salary", "pension"))
_LOANS = Feed(("loan.granted", "loan.instalment_due", "loan.instalment_missed", "loan.instalment_paid", "loan.repaid"))
_LIFE = Feed(("life_event.recorded",))
_INTEREST = Feed(("calculator.used", "application.started", "application.abandoned", "application.submitted"), 3)
FEEDS: Mapping[str, Feed] = {
    "complaint_": Feed(_CASES, case_kind="complaint"),
    "fraud_case": Feed(_CASES, case_kind="fraud"),
    "open_cases": Feed(_CASES),
    "contacts_same_reason": Feed(_CONTACTS, 7),
    "channel_hop": Feed((*_CONTACTS, *_FAILED_STEPS), 8),
    "leaving_enquiries_": Feed((*_CONTACTS, "case.opened", "page.viewed"), 30, leaving=True),
    "interest_": _INTEREST,
    "hours_since_interest": _INTEREST,
    "application_open_": Feed(("application.started", "application.abandoned", "application.submitted"), 30),
    "salary_": _SALARIES,
    "has_salary": _SALARIES,
    "loan_": _LOANS,
    "loans_open": _LOANS,
    "mortgages_open": _LOANS,
    "fixed_rate_": _LOANS,
    "deposit_": Feed(("term_deposit.opened", "term_deposit.maturing", "term_deposit.instructed")),
    "mandates_active": Feed(
        ("standing_order.set_up", "standing_order.cancelled", "direct_debit.mandate_set_up",
         "direct_debit.mandate_cancelled")
    ),
    "mandates_cancelled_": Feed(("standing_order.cancelled", "direct_debit.mandate_cancelled"), 30),
    "products_closed_": Feed(("account.closed", "product.closed", "loan.repaid"), 90),
    "card_utilisation_": Feed(("card.statement_issued",)),
    "card_paid_in_full": Feed(("card.statement_issued",)),
    "days_since_last_login": Feed(("login.succeeded",), 400),
    "longest_login_gap_days": Feed(("login.succeeded",), 400),
    "usual_login_gap_days": Feed(("login.succeeded",), 400),
    "logs_in": Feed(("login.succeeded",), 400),
    "feedback_": Feed(("feedback.given",)),
    "days_since_feedback": Feed(("feedback.given",)),
    "vulnerable": Feed(("vulnerability.flagged", "vulnerability.cleared")),
    "bereaved": _LIFE,
    "separated": _LIFE,
    "days_since_life_event": _LIFE,
    "last_life_event": _LIFE,
    "days_since_move": Feed(("address.changed",)),
    "outside_footprint": Feed(("address.changed",)),
    "marketing_": Feed(("consent.given", "consent.withdrawn")),
}  # fmt: skip


def feed_of(fact: str) -> Feed | None:
    """The longest name that the fact begins with says it. None: it follows from balances, holdings or decisions."""
    fitting = [name for name in FEEDS if fact.startswith(name)]
    return FEEDS[max(fitting, key=len)] if fitting else None


def telling(feed: Feed, events: Iterable[ChannelEvent], reasons: Reasons, now: int) -> list[ChannelEvent]:
    """Those of a customer's events that tell of what the feed is about, as of `now` (ms). A call that the bank began
    tells of none of it."""
    told = [(one, _decode_attributes(one.attributes)) for one in events if one.occurred_at >= feed.since(now)]
    found = [(one, said) for one, said in told
             if (one.type in feed.types or (one.type == _BOOKING and said.get("purpose") in feed.purposes))
             and not said.get("outbound")]  # fmt: skip
    if feed.case_kind:
        cases = {one.subject for one, said in found if said.get("case_kind") == feed.case_kind}
        found = [(one, said) for one, said in found if one.subject in cases]
    if feed.leaving:
        found = [(one, said) for one, said in found if reasons.word(said.get("reason")) in reasons.leaving]
    return [one for one, _ in found]
