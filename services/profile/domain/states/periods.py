"""The hours, days and months by which states are counted, all of UTC: an hour and a day are numbers since 1970, a
month is year * 12 + month - 1."""

from functools import lru_cache

from schemas.instants import DAY_MS


def month_of(at_ms: int) -> int:
    return month_of_day(at_ms // DAY_MS)


@lru_cache(2048)
def month_of_day(day: int) -> int:
    """The month of a day of any zone, counted since 1970. Hinnant's civil-from-days: the standard
    library ends with the year 9999."""
    days = day + 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    year = year_of_era + era * 400
    return year * 12 + (shifted + 2 if shifted < 10 else shifted - 10 + 12)


@lru_cache(2048)
def first_day_of(month: int) -> int:
    """The day on which a month begins. The way back: days-from-civil."""
    year, shifted = divmod(month - 2, 12)
    era, year_of_era = divmod(year, 400)
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + (153 * shifted + 2) // 5
    return era * 146_097 + day_of_era - 719_468


def months_after(day: int, months: int) -> int:
    """The same day so many months later; the last of a month that is too short for it."""
    month = month_of_day(day)
    return min(day - first_day_of(month) + first_day_of(month + months), first_day_of(month + months + 1) - 1)
