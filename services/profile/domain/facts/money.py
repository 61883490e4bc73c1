"""Facts about money: balances, income, assets. None stands for unknown."""

from schemas.instants import DAY_MS
from services.profile.domain.customers.balances import Course
from services.profile.domain.customers.salary import LATELY_DAYS, Salary
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.states.state import LATEST_KEPT

SALARY_CHANNELS = ("corebank",)


_OF_BALANCES = (
    "balance_total", "balance_7d_ago", "balance_30d_ago", "balance_mean_30d", "balance_mean_365d",
    "balance_deviation_365d", "balance_lowest_60d", "balance_lowest_90d", "balance_below_usual_checks",
    "current_lowest_60d", "overdrawn", "days_since_overdrawn",
)  # fmt: skip


def balance_facts(seen: Picture) -> Facts:
    """Unknown while the balance of an account was never told, or is in a currency without a rate."""
    course, current, unknown = seen.courses
    if unknown:
        return dict.fromkeys(_OF_BALANCES)
    major, today = seen.major, seen.today
    overdrawn = current.days_since_negative()
    recent, usual = course.mean(30), course.spread(365)
    return {
        "balance_total": major(course.now),
        "balance_7d_ago": major(course.at(today - 7)),
        "balance_30d_ago": major(course.at(today - 30)),
        "balance_mean_30d": major(recent),
        "balance_mean_365d": major(usual[0]),
        "balance_deviation_365d": major(usual[1]),
        "balance_lowest_60d": major(course.lowest(60)),
        "balance_lowest_90d": major(course.lowest(90)),
        "balance_below_usual_checks": _checks_below_usual(course) if _is_below(recent, *usual) else 0,
        "current_lowest_60d": major(current.lowest(60)),
        "overdrawn": overdrawn == 0,
        "days_since_overdrawn": overdrawn or 0,
    }


def _checks_below_usual(course: Course) -> int:
    """Today's is one; the one before was a week ago."""
    earlier = course.until(course.today - 7)
    return 2 if _is_below(earlier.mean(30), *earlier.spread(365)) else 1


def _is_below(recent: int | None, usual: int | None, deviation: int | None) -> bool:
    return recent is not None and usual is not None and deviation is not None and recent < usual - 2 * deviation


def income_facts(seen: Picture) -> Facts:
    salary = seen.behaviour.salary
    if salary is None:
        unknown = "recurring_income" in seen.behaviour.missing
        return {"has_salary": None if unknown else False}
    return {
        "has_salary": salary.is_regular,
        "salary_usual": seen.home(salary.median_minor, salary.currency),
        "salary_last": seen.home(salary.last_minor, salary.currency),
        "salary_last_percent": salary.latest_percent,
        "salary_received_percent": salary.received_percent,
        "salary_reduced_periods": salary.reduced_periods,
        "salary_raised_periods": salary.raised_periods,
        "salary_credits": salary.credits,
        **_first_salary(seen, salary),
        **_absence(seen, salary),
    }


def _first_salary(seen: Picture, salary: Salary) -> Facts:
    """Who was known long before the first one has moved a salary here; who was not has brought it along."""
    if salary.first_at is None:
        return {"salary_known_days": None, "salary_first_after_days": None}
    known_since, kept = seen.customer.state.head.first_at, seen.customer.state.head.latest["income"]
    # as many as are kept: of who was among the first of them, there may have been more before
    is_cut = len(kept) == LATEST_KEPT and salary.first_at - kept[0].at <= LATELY_DAYS * DAY_MS
    return {
        "salary_known_days": (seen.now - salary.first_at) // DAY_MS,
        "salary_first_after_days": None if is_cut else (salary.first_at - known_since) // DAY_MS,
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
        untold = None if name in behaviour.missing else 0
        facts[f"usual_monthly_{name}"] = seen.major(spread.median_minor) if spread else untold
        facts[f"usual_monthly_{name}_spread"] = seen.major(spread.spread_minor) if spread else untold
    return facts


def asset_facts(seen: Picture) -> Facts:
    assets, decided = seen.assets, seen.decided
    has_household = assets.household_subject is not None
    return {
        "assets": seen.major(assets.total_minor) if assets.is_whole else None,
        "assets_change_30d": seen.major(assets.change_30_minor),
        "assets_change_90d": seen.major(assets.change_90_minor),
        "assets_direction": assets.direction if assets.is_whole else None,
        "assets_band": assets.band,
        "assets_former_band": str(decided.notes.get("former_band", "")),
        "assets_band_days": (seen.now - decided.assets_since) // DAY_MS if decided.assets_since else 0,
        "assets_to_private_banking": seen.major(assets.to_threshold_minor),
        "assets_percent_of_private_banking": assets.percent_of_threshold,
        "household_assets": seen.major(assets.household_minor) if has_household else 0,
    }
