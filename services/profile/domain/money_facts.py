"""Facts about money: balances, what leaves for other banks, income, assets. None stands for unknown."""

from collections.abc import Iterator

from schemas.changes import Fact
from services.profile.domain.combine import DAY_MS, month_of
from services.profile.domain.picture import Picture
from services.profile.domain.salary import Salary
from services.profile.domain.state import MANY, Cell

SALARY_CHANNELS = ("corebank",)
Facts = dict[str, Fact | None]


def balance_facts(seen: Picture) -> Facts:
    course, major, today = seen.course, seen.major, seen.today
    mean, deviation = course.spread(365)
    return {
        "balance_total": major(course.now),
        "balance_7d_ago": major(course.at(today - 7)),
        "balance_30d_ago": major(course.at(today - 30)),
        "balance_mean_30d": major(course.mean(30)),
        "balance_mean_365d": major(mean),
        "balance_deviation_365d": major(deviation),
        "balance_lowest_60d": major(course.lowest(60)),
        "balance_lowest_90d": major(course.lowest(90)),
    }


def leaving_facts(seen: Picture) -> Facts:
    """What went to other banks, told by the bank of the other side; a day with too many banks makes them unknown."""
    reference, today = seen.reference, seen.today
    external = {7: 0, 30: 0}
    competing, transfers, lenders, many = {30: 0, 90: 0}, 0, 0, False
    for day, bank, minor, count in _sent(seen, 90):
        many = many or bank == MANY
        age = today - day
        if bank == MANY or reference.is_own_bank(bank):
            continue
        for days in external:
            external[days] += minor if age < days else 0
        if not reference.is_listed(bank):
            continue
        if reference.is_competitor(bank, day):
            for days in competing:
                competing[days] += minor if age < days else 0
            transfers += count if age < 30 else 0
        if age < 60 and reference.is_lender(bank, day):
            lenders += count
    facts: Facts = {
        "external_outflow_7d": seen.major(external[7]),
        "external_outflow_30d": seen.major(external[30]),
        "competitor_transfers_30d": transfers,
        "competitor_outflow_30d": seen.major(competing[30]),
        "competitor_outflow_90d": seen.major(competing[90]),
        "lender_payments_60d": lenders,
    }
    return dict.fromkeys(facts) if many else facts


def _sent(seen: Picture, days: int) -> Iterator[tuple[int, str, int, int]]:
    """(day, bank of the other side or MANY, minor units of the home currency, count) of debits."""
    since = seen.today - days
    for number in range(month_of(max(since, 0) * DAY_MS), max(seen.whole.state.months, default=0) + 1):
        month = seen.whole.state.months.get(number)
        for day, banks in month.banks.items() if month is not None else ():
            if day > since:
                yield from ((day, *found) for key, cell in banks.items() if (found := _debit(seen, day, key, cell)))


def _debit(seen: Picture, day: int, key: str, cell: Cell) -> tuple[str, int, int] | None:
    if key == MANY:
        return MANY, 0, 0
    if not key.startswith("debit:"):
        return None
    _, currency, bank = key.split(":", 2)
    return bank, seen.reference.home_minor(cell.total, currency, day) or 0, cell.count


def income_facts(seen: Picture) -> Facts:
    salary = seen.behaviour.salary
    if salary is None:
        unknown = "recurring_income" in seen.behaviour.missing
        return {"has_salary": None if unknown else False}
    return {
        "has_salary": salary.is_regular,
        "salary_usual": seen.major_of(salary.median_minor, salary.currency),
        "salary_last": seen.major_of(salary.last_minor, salary.currency),
        "salary_last_percent": salary.latest_percent,
        "salary_received_percent": salary.received_percent,
        "salary_reduced_periods": salary.reduced_periods,
        "salary_raised_periods": salary.raised_periods,
        "salary_credits": salary.credits,
        **_absence(seen, salary),
    }


def _absence(seen: Picture, salary: Salary) -> Facts:
    """A payday only counts as missed once the books are complete past it: a late file is no lost salary."""
    if salary.next_due is None or salary.next_due_by is None or not salary.missed:
        return {"salary_missed": 0, "salary_days_overdue": 0}
    if seen.complete_until(SALARY_CHANNELS) <= seen.reference.close_of(salary.next_due_by):
        return {"salary_missed": None, "salary_days_overdue": None}
    return {"salary_missed": salary.missed, "salary_days_overdue": max(0, seen.bank_day - salary.next_due)}


def usual_facts(seen: Picture) -> Facts:
    behaviour = seen.behaviour
    facts: Facts = {}
    for name, spread in (("outflow", behaviour.outflow), ("inflow", behaviour.inflow)):
        facts[f"usual_monthly_{name}"] = seen.major(spread.median_minor) if spread else 0
        facts[f"usual_monthly_{name}_spread"] = seen.major(spread.spread_minor) if spread else 0
    known = "regular_payments" not in behaviour.missing
    facts["pays_rent"] = behaviour.rent is not None if known else None
    facts["rent_months_in_a_row"] = (behaviour.rent.in_a_row if behaviour.rent else 0) if known else None
    return facts


def asset_facts(seen: Picture) -> Facts:
    assets, decided = seen.assets, seen.decided
    greater = max(assets.total_minor, assets.household_minor or 0)
    return {
        "assets": seen.major(assets.total_minor),
        "assets_change_30d": seen.major(assets.change_30_minor),
        "assets_change_90d": seen.major(assets.change_90_minor),
        "assets_direction": assets.direction,
        "assets_band": assets.band,
        "assets_former_band": str(decided.notes.get("former_band", "")),
        "assets_band_days": (seen.now - decided.assets_since) // DAY_MS if decided.assets_since else 0,
        "assets_to_private_banking": seen.major(assets.to_threshold_minor),
        "assets_percent_of_private_banking": greater * 100 // max(assets.threshold_minor, 1),
        "household_assets": seen.major(assets.household_minor or 0),
    }
