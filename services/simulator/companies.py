"""An ordinary day of a company: customers pay, suppliers and staff are paid, somebody signs in."""

from services.simulator import names
from services.simulator.bank import rounded
from services.simulator.chance import times
from services.simulator.contacts import questions
from services.simulator.days import interest, pays_today, sessions
from services.simulator.moods import USUAL
from services.simulator.plan import DayPlan


def company_day(plan: DayPlan) -> None:
    who, random = plan.customer, plan.random
    if plan.is_workday:
        for _ in range(times(random, 0.6)):
            payer = random.randrange(60)
            client = {"name": f"客户{payer}", "account_no": f"94{payer:08d}", "bank": random.choice(names.OTHER_BANKS)}
            amount = rounded(who.income / 13 * random.uniform(0.3, 1.7))
            plan.receive(plan.at(9, 17), "transfer.received", "corebank", amount, counterparty=client)
        for _ in range(times(random, 0.4)):
            payee = random.randrange(30)
            bank = random.choice(names.OTHER_BANKS)
            supplier = {"name": f"供应商{payee}", "account_no": f"93{payee:08d}", "bank": bank}
            amount = rounded(who.income / 22 * random.uniform(0.3, 1.7))
            plan.pay(plan.at(9, 17), "transfer.sent", "online", amount, counterparty=supplier)
    if pays_today(who.payday, plan.day):
        payroll = rounded(who.income * 0.45)
        staff = {"name": "工资代发", "account_no": f"92{who.number:08d}", "bank": "OTHA", "kind": "payroll"}
        plan.pay(plan.at(8, 9), "transfer.sent", "online", payroll, counterparty=staff)
    sessions(plan, USUAL)
    questions(plan)
    interest(plan)
