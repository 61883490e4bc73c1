"""Age and birthday, from the birth date that a registration tells."""

from datetime import date

import pytest

from services.profile.domain.reference.calendar import day_number
from tests.profile.domain.gathered import ME, POLICY, facts_told, summary_of
from tests.profile.domain.happenings import event


def on(day: str) -> int:
    return POLICY.reference.start_of(day_number(date.fromisoformat(day))) + 1


@pytest.mark.parametrize(
    ("born", "today", "age", "in_days"),
    [
        ("1988-04-12", "2026-04-12", 38, 0),
        ("1988-04-12", "2026-04-11", 37, 1),
        ("1988-04-12", "2026-04-13", 38, 364),
        ("2008-12-31", "2026-12-01", 17, 30),
        ("2004-02-29", "2026-02-28", 22, 0),
        ("2004-02-29", "2028-02-27", 23, 1),
    ],
)
def test_age_and_the_days_to_the_next_birthday(born: str, today: str, age: int, in_days: int) -> None:
    registered = event("customer.registered", on("2020-01-01"), ME, attributes={"kind": "person", "birth_date": born})
    values = facts_told(summary_of([registered], on(today)))
    assert (values["age"], values["birthday_in_days"]) == (age, in_days)


def test_without_a_birth_date_both_are_unknown() -> None:
    registered = event("customer.registered", on("2020-01-01"), ME, attributes={"kind": "person"})
    assert {"age", "birthday_in_days"} <= set(summary_of([registered], on("2026-01-01")).facts.missing)


def test_a_companys_founding_is_no_birthday() -> None:
    told = {"kind": "company", "birth_date": "2001-01-01"}
    registered = event("customer.registered", on("2020-01-01"), ME, attributes=told)
    assert "age" in summary_of([registered], on("2026-01-01")).facts.missing
