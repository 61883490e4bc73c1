"""An ordinary day of an ordinary person: income, obligations, spending, sign-ins, a question now and then."""

from datetime import date, timedelta

from schemas.instants import MINUTE_MS
from services.simulator import names
from services.simulator.bank import OWN_BANK, SAVINGS, account_no, money, rounded
from services.simulator.chance import times
from services.simulator.contacts import complaints, questions
from services.simulator.customers import Customer
from services.simulator.deposits import deposit_life
from services.simulator.holdings import has_savings, loan, mandates
from services.simulator.moods import Mood
from services.simulator.plan import DayPlan


def ordinary_day(plan: DayPlan, mood: Mood) -> None:
    if mood.has_salary:
        income(plan)
    if mood.has_mandates:
        mandates_due(plan)
    saving(plan)
    borrowing(plan)
    spending(plan, mood)
    sessions(plan, mood)
    questions(plan)
    interest(plan)
    if plan.customer.story is None:
        deposit_life(plan)
        complaints(plan)


def pays_today(payday: int, day: date) -> bool:
    """Salaries due on a weekend are paid on the Friday before."""
    if day.weekday() > 4:
        return False
    due = [day.day] if day.weekday() < 4 else [(day + timedelta(days=ahead)).day for ahead in range(3)]
    return payday in due


def income(plan: DayPlan) -> None:
    who = plan.customer
    if not pays_today(who.payday, plan.day):
        return
    amount = rounded(who.income * plan.random.uniform(0.99, 1.01))
    period = f"{plan.day:%Y-%m}"
    if who.archetype == "student":
        parent = {"name": names.SURNAMES[who.number % 20] + "建国", "account_no": f"99{who.number:08d}", "bank": "OTHA"}
        plan.receive(plan.at(18, 21), "transfer.received", "mobile", amount, counterparty=parent)
    elif who.archetype == "retiree":
        fund = {"name": "社会保险基金", "account_no": "9800000001", "bank": "OTHB", "kind": "pension_fund"}
        attributes = {"purpose": "pension", "period": period}
        plan.receive(plan.at(8, 9), "salary.credited", "corebank", amount, counterparty=fund, attributes=attributes)
    else:
        payer = employer(who)
        attributes = {"period": period}
        plan.receive(plan.at(9, 10), "salary.credited", "corebank", amount, counterparty=payer, attributes=attributes)


def employer(who: Customer) -> dict[str, str]:
    name = names.EMPLOYERS[who.employer]
    return {"name": name, "account_no": f"97{who.employer:08d}", "bank": "OTHC", "kind": "employer"}


def mandates_due(plan: DayPlan) -> None:
    for mandate in mandates(plan.bank, plan.customer.number):
        if mandate.day == plan.day.day:
            plan.pay(
                plan.at(6, 6.5),
                "standing_order.executed" if mandate.is_order else "direct_debit.collected",
                "corebank",
                mandate.amount,
                identifiers={"mandate_id": mandate.mandate_id},
                counterparty={"name": mandate.payee, "account_no": f"96{abs(mandate.amount):08d}", "bank": "OTHD"},
                attributes={"purpose": mandate.purpose},
            )


def saving(plan: DayPlan) -> None:
    """A sixth of the income goes to the own savings account on the day after payday."""
    who = plan.customer
    if who.archetype in ("student", "retiree") or not has_savings(who):
        return
    if pays_today(who.payday, plan.day - timedelta(days=1)):
        at = plan.at(19, 22)
        here, there = account_no(who.number), account_no(who.number, SAVINGS)
        inward = plan.movement(
            at, "transfer.received", "corebank", 0, is_credit=True, account=SAVINGS,
            counterparty={"account_no": here, "bank": OWN_BANK, "kind": "own"},
        )  # fmt: skip
        outward = {"account_no": there, "bank": OWN_BANK, "kind": "own"}
        amount = rounded(who.income / 6, 10_000)
        plan.pay(at, "transfer.sent", "mobile", amount, counterparty=outward, then=inward)


def borrowing(plan: DayPlan) -> None:
    owed = loan(plan.bank, plan.customer.number)
    if owed is not None and owed.day == plan.day.day:
        at = plan.at(7, 7.5)
        plan.pay(at, "transaction.posted", "corebank", owed.instalment, attributes={"purpose": "loan_payment"})
        paid = {"amount": money(owed.instalment), "attributes": {"due_on": plan.day.isoformat()}}
        plan.event(at + MINUTE_MS, "loan.instalment_paid", "corebank", {"loan_no": owed.loan_no}, **paid)


def spending(plan: DayPlan, mood: Mood) -> None:
    who, random = plan.customer, plan.random
    monthly = who.income * 0.62 - who.rent
    each = max(monthly / (who.spending * 30), 800)
    for _ in range(times(random, who.spending * mood.spending * (1 - who.cash))):
        shop = random.choice(names.MERCHANTS)
        bought = {"merchant": shop.name, "merchant_category": shop.category, "merchant_country": "CN"}
        amount = round(each * random.expovariate(1) + 500)
        channel = random.choice(("pos", "pos", "wechat", "mobile"))
        plan.pay(plan.at(8, 22), "card.paid", channel, amount, by_card=True, attributes=bought)
    for _ in range(times(random, who.spending * mood.spending * max(who.cash, 0.1) * 0.6)):
        amount = random.choice((1, 2, 3, 5, 5, 10)) * 10_000
        at_machine = random.random() > (0.5 if who.archetype == "retiree" else 0.05)
        hours = (7, 22) if at_machine else (9, 17)
        if at_machine or plan.is_workday:
            plan.pay(plan.at(*hours), "cash.withdrawn", "atm" if at_machine else "counter", amount, by_card=at_machine)
    if random.random() < 0.03 * mood.spending:
        friend = random.randrange(plan.bank.size)
        other = {"name": "亲友", "account_no": f"95{friend:08d}", "bank": random.choice(names.OTHER_BANKS)}
        amount = rounded(each * random.uniform(1, 4))
        plan.pay(plan.at(9, 23), "transfer.sent", "mobile", amount, counterparty=other)


def sessions(plan: DayPlan, mood: Mood) -> None:
    who, random = plan.customer, plan.random
    channel = "online" if who.archetype == "company" or random.random() < 0.15 else "mobile"
    for _ in range(times(random, who.logins * mood.logins)):
        at = plan.at(7, 23.5)
        if random.random() < 0.03:
            plan.session(at - MINUTE_MS, "login.failed", channel, reason="wrong_password", failure_count=1)
        plan.session(at, "login.succeeded", channel, login_method="password" if channel == "online" else "biometric")
        if random.random() < 0.3:
            family = random.choice(names.FAMILIES)
            seconds = random.randint(5, 90)
            page = f"/{family}"
            plan.session(at + MINUTE_MS, "page.viewed", channel, page=page, product_family=family, seconds=seconds)


def interest(plan: DayPlan) -> None:
    """Credited on the 21st after each quarter's end month's 20th, as banks in China do: 0.05 % a year on the income."""
    if plan.day.month % 3 == 0 and plan.day.day == 21:
        amount = max(plan.customer.current // 8000, 1)
        period = {"period": f"{plan.day.year}-Q{plan.day.month // 3}"}
        plan.receive(plan.at(3, 4), "interest.credited", "corebank", amount, attributes=period)
