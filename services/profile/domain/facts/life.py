"""Facts about where the customer stands in life. None stands for unknown."""

from datetime import date

from services.profile.domain.customers.person import newest_entry
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.reference.calendar import date_of, day_number


def life_facts(seen: Picture) -> Facts:
    """Who has several customer numbers has one birthday: the one told last."""
    entry = newest_entry(seen.read.parties, "birth_date")
    born = _date(entry.value) if entry is not None else None
    if born is None or seen.customer.kind != "person":
        return {"age": None, "birthday_in_days": None}
    today = date_of(seen.bank_day)
    this_year = _birthday(born, today.year)
    upcoming = this_year if this_year >= today else _birthday(born, today.year + 1)
    return {
        "age": today.year - born.year - (this_year > today),
        "birthday_in_days": day_number(upcoming) - seen.bank_day,
    }


def _birthday(born: date, year: int) -> date:
    """Of the 29th of February always on the 28th."""
    return date(year, born.month, min(born.day, 28) if born.month == 2 else born.day)


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
