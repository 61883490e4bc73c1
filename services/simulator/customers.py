"""Who a customer is: drawn from seed and number alone, so that any of a million can be made without the rest."""

from datetime import date
from functools import lru_cache
from random import Random
from typing import Literal

import msgspec

from services.simulator import names
from services.simulator.bank import Bank, is_company, rounded
from services.simulator.chance import chance
from services.simulator.stories import BLOCK, Kind, story_of

Archetype = Literal["student", "worker", "professional", "wealthy", "retiree", "company"]


class Customer(msgspec.Struct, frozen=True):
    """Money in fen. `spending` and `logins` are times a day; `cash` is the share of spending done in cash."""

    number: int
    archetype: Archetype
    name: str
    gender: str
    birth_date: date
    district: str
    branch: str
    income: int
    payday: int
    employer: int
    rent: int
    spending: float
    logins: float
    cash: float
    current: int
    savings: int
    manager_id: str
    story: Kind | None


class _Habit(msgspec.Struct, frozen=True):
    """Ages in years, income in yuan a month, assets in months of income."""

    weight: int
    ages: tuple[int, int]
    income: tuple[int, int]
    spending: float
    logins: float
    cash: float
    months_saved: tuple[int, int]
    tenants: float


HABITS: dict[Archetype, _Habit] = {
    "student": _Habit(12, (18, 24), (2_000, 4_000), 0.35, 0.40, 0.05, (1, 3), 0.0),
    "worker": _Habit(43, (22, 55), (5_500, 14_000), 0.30, 0.25, 0.15, (2, 12), 0.45),
    "professional": _Habit(22, (26, 55), (15_000, 40_000), 0.40, 0.30, 0.08, (4, 24), 0.35),
    "wealthy": _Habit(5, (35, 70), (60_000, 150_000), 0.40, 0.25, 0.08, (15, 30), 0.0),
    "retiree": _Habit(18, (60, 85), (3_000, 8_000), 0.12, 0.05, 0.60, (10, 40), 0.0),
}
_STORY_ARCHETYPE: dict[Kind, Archetype] = {
    "near_threshold_rising": "wealthy",
    "manager_leaving": "wealthy",
    "salary_redirected": "worker",
}
PORTFOLIO = 150
NEAR_THRESHOLD = 500_000_000
"""Where the rising customer's savings start: 5,000,000.00 CNY, to be inside the band when the story begins."""


@lru_cache(maxsize=20_000)
def customer(bank: Bank, number: int) -> Customer:
    random = chance(bank.seed, "customer", number)
    district = random.choice(names.DISTRICTS)
    branch = f"{district}-{1 + random.randrange(names.BRANCHES_PER_DISTRICT)}"
    if is_company(number):
        return _company(number, random, district, branch)
    story = story_of(bank, number)
    return _person(bank, number, random, branch, story.kind if story else None)


def _person(bank: Bank, number: int, random: Random, branch: str, kind: Kind | None) -> Customer:
    archetype = _archetype(random, kind)
    habit = HABITS[archetype]
    gender = random.choice(("female", "male"))
    given = names.GIVEN_FEMALE if gender == "female" else names.GIVEN_MALE
    income = random.randint(*habit.income) * 100
    savings = income * random.randint(*habit.months_saved)
    return Customer(
        number=number,
        archetype=archetype,
        name=random.choice(names.SURNAMES) + random.choice(given),
        gender=gender,
        birth_date=date(bank.anchor.year - random.randint(*habit.ages), random.randint(1, 12), random.randint(1, 28)),
        district=branch.rpartition("-")[0],
        branch=branch,
        income=income,
        payday=random.choice(names.PAYDAYS),
        employer=random.randrange(len(names.EMPLOYERS)),
        rent=rounded(income * random.uniform(0.2, 0.32), 10_000) if random.random() < habit.tenants else 0,
        spending=habit.spending * random.uniform(0.7, 1.3),
        logins=habit.logins * random.uniform(0.7, 1.3),
        cash=habit.cash,
        current=round(income * random.uniform(0.8, 1.6)),
        savings=NEAR_THRESHOLD if kind == "near_threshold_rising" else savings,
        manager_id=_manager(number, archetype, branch, kind),
        story=kind,
    )


def _archetype(random: Random, kind: Kind | None) -> Archetype:
    drawn = random.choices(list(HABITS), [habit.weight for habit in HABITS.values()])[0]
    if kind is None:
        return drawn
    return _STORY_ARCHETYPE.get(kind, "professional")


def _manager(number: int, archetype: Archetype, branch: str, kind: Kind | None) -> str:
    """Everybody has one, of the branch, with a portfolio of about `PORTFOLIO`. In each block of the stories one manager
    will leave, who looks after half of its wealthy people."""
    if kind == "manager_leaving" or (archetype == "wealthy" and kind is None and number % 2 == 0):
        return f"M-L{number // BLOCK}"
    return branch_manager(number, branch)


def branch_manager(number: int, branch: str) -> str:
    return f"M-{branch}-{1 + number // (PORTFOLIO * names.BRANCHES)}"


def named_successor(number: int, branch: str) -> str | None:
    """Who takes over from the manager of this block who leaves; in every other block nobody is named, and the branch
    has to find somebody."""
    return branch_manager(number, branch) if number // BLOCK % 2 else None


def _company(number: int, random: Random, district: str, branch: str) -> Customer:
    income = random.randint(80_000, 900_000) * 100
    return Customer(
        number=number,
        archetype="company",
        name=f"{random.choice(names.COMPANY_FIRST)}{random.choice(names.COMPANY_TRADE)}有限公司",
        gender="",
        birth_date=date(2000 + random.randrange(24), random.randint(1, 12), random.randint(1, 28)),
        district=district,
        branch=branch,
        income=income,
        payday=random.choice(names.PAYDAYS),
        employer=0,
        rent=0,
        spending=0.5,
        logins=0.6,
        cash=0.05,
        current=round(income * random.uniform(1.5, 4)),
        savings=0,
        manager_id=_manager(number, "company", branch, None),
        story=None,
    )
