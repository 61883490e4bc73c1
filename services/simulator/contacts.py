"""What customers ask and complain about on an ordinary day, at the call center and the counter."""

from datetime import date, timedelta

from schemas.instants import MINUTE_MS
from services.simulator import names
from services.simulator.bank import Bank, customer_no
from services.simulator.chance import draw
from services.simulator.plan import DayPlan

COMPLAINTS = 0.0003
"""Complaints a customer and day, all resolved within three days: the stories must stand out from these."""


def questions(plan: DayPlan) -> None:
    """About one call in ten months, and a visit where the customer is used to the counter."""
    random = plan.random
    if random.random() < 0.0035:
        call(plan, plan.at(9, 20), random.choice(names.CALL_REASONS), "solved")
        if random.random() < 0.3:
            plan.party(plan.at(20, 22), "feedback.given", "mobile", score=random.randint(7, 10), scale=10)
    if plan.is_workday and random.random() < 0.04 * plan.customer.cash:
        contact = {"contact_id": f"V{plan.customer.number}d{plan.day:%Y%m%d}", "branch": plan.customer.branch}
        plan.party(plan.at(9, 17), "counter.visited", "counter", reason="transfer", outcome="solved", **contact)


def call(plan: DayPlan, at: int, reason: str, outcome: str) -> None:
    """One call as the call center tells it: offered, answered, ended."""
    waited, lasted = plan.random.randint(5, 120), plan.random.randint(60, 600)
    known = {"contact_id": f"C{plan.customer.number}t{at // 1000}", "reason": reason}
    answered = at + waited * 1000
    plan.party(at, "call.offered", "call_center", **known)
    plan.party(answered, "call.answered", "call_center", waited_seconds=waited, **known)
    ended = answered + lasted * 1000
    plan.party(ended, "call.ended", "call_center", duration_seconds=lasted, outcome=outcome, **known)


def complaints(plan: DayPlan) -> None:
    bank, number = plan.bank, plan.customer.number
    if complains(bank, number, plan.day):
        at = plan.at(9, 18)
        call(plan, at, "fee", "unsolved")
        opened = {"case_id": f"CS{number}d{plan.day:%Y%m%d}", "customer_no": customer_no(number)}
        attributes = {"case_kind": "complaint", "reason": "fee"}
        plan.event(at + 20 * MINUTE_MS, "case.opened", "call_center", opened, attributes=attributes)
    before = plan.day - timedelta(days=3)
    if complains(bank, number, before):
        case = {"case_id": f"CS{number}d{before:%Y%m%d}"}
        plan.event(plan.at(9, 18), "case.resolved", "call_center", case, attributes={"resolution": "refunded"})


def complains(bank: Bank, number: int, day: date) -> bool:
    return draw(bank.seed, "complain", number, day.toordinal()) < COMPLAINTS
