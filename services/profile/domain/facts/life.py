"""Facts about where the customer stands in life. None stands for unknown."""

from datetime import date

from services.profile.domain.customers.person import newest_entry
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.reference.calendar import date_of, day_number
from services.profile.domain.states.periods import months_after


def life_facts(seen: Picture) -> Facts:
    """Who has several customer numbers has one birthday: the one told last."""
    entry = newest_entry(seen.basics.parties, "birth_date")
    born = _date(entry.value) if entry is not None else None
    if born is None or seen.customer.kind != "person":
        return {"age": None, "birthday_in_days": None}
    first, year = day_number(born), date_of(seen.bank_day).year - born.year
    this_year = months_after(first, 12 * year)
    upcoming = this_year if this_year >= seen.bank_day else months_after(first, 12 * (year + 1))
    return {"age": year - (this_year > seen.bank_day), "birthday_in_days": upcoming - seen.bank_day}


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
