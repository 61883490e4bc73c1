"""Alerts in the PKDD'99 bank: its troubles are found on their day, and whatever was said of ten customers follows from
their lines in the files."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.domain.alert import Evidence
from services.cli.declared import known_of
from services.cli.rules.rerun import Happened, Rerun, steps
from services.declared_files import directories
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.personal import reference
from services.profile.settings import Choices
from services.replay.berka import read_berka
from services.replay.berka_event import Event
from tests.journeys.berka_books import Account, is_penalty, is_pension, read_books
from tests.journeys.berka_rules import (
    NOT_IN_THE_FILES,
    RULES,
    Seen,
    is_in_trouble,
    money_is_leaving,
    seen_at,
    stands_out,
    working_days_after,
)
from tests.profile.told import SECRET, admitted
from tests.replay.berka_bank import write_berka_lives

ROOT = Path(__file__).parents[2]
REAL = (ROOT / os.environ.get("COUNTERPOINT_BERKA", "../shared/data/berka")).resolve()
BANKS = ["made-up", *(["real"] if (REAL / "trans.asc").exists() else [])]
FILES = ("account", "card", "client", "disp", "district", "loan", "order")
BANK = """{home_currency: CZK, calendar: generic, zone: Etc/GMT-1, closes_minutes: 1440,
private_banking_threshold: 6000000, near_band: 1000000}"""
WATCHED, STOPS, LAST_LINE = date(1993, 7, 1), date(1994, 1, 1), date(1994, 3, 31)
UNPAID = "loan.instalment_missed"
WEEK_S, STEP_MS = 7 * 86_400, 21_600_000


class Lived(NamedTuple):
    """`chosen`: kind of story → accounts. `said`: account → evidence, in order."""

    books: Mapping[str, Account]
    chosen: Mapping[str, list[str]]
    said: Mapping[str, list[Evidence]]

    def first(self, account: str, rule: str) -> Evidence | None:
        return next((one for one in self.said[account] if one.rule == rule), None)


@pytest.fixture(scope="module", params=BANKS)
async def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    own = tmp_path_factory.mktemp("own")
    (own / "bank.yaml").write_text(BANK)
    files = tmp_path_factory.mktemp("berka")
    source = REAL if request.param == "real" else write_berka_lives(tmp_path_factory.mktemp("lives"))
    chosen = choose(read_books(source))
    pensions_stop(source, files, chosen["pension stopped"])
    wanted = {number for some in chosen.values() for number in some}
    rerun = await lived_through(of_accounts(read_berka(files), wanted), own)
    alerts, said = await rerun.found(), {}
    for number in wanted:
        customer = await rerun.customer_of(f"account:{number}")
        found = [one for alert in alerts if alert.customer_id == customer for one in alert.evidence]
        said[number] = sorted(found, key=lambda one: one.seen_at)
    assert rerun.broken == {}
    return Lived(read_books(files), chosen, said)


def choose(books: Mapping[str, Account]) -> dict[str, list[str]]:
    """Of each kind of story the first by account number, nobody twice. That a pension stops is not in the files, so it
    does so in a copy of them; the two pensioners after those stay as they are."""
    taken: set[str] = set()

    def first(count: int, wanted: Callable[[Account], bool]) -> list[str]:
        by_number = sorted(books, key=int)
        found = [number for number in by_number if number not in taken and wanted(books[number])][:count]
        taken.update(found)
        return found

    has_pension = [number for number, one in books.items() if sum(
        is_pension(line) and line.day < STOPS for line in one.lines) >= 6]  # fmt: skip
    return {
        "pension stopped": first(3, lambda one: one.number in has_pension),
        "pension": first(2, lambda one: one.number in has_pension),
        "loan unpaid": first(2, lambda one: any(loan.status in "BD" and loan.ends.year < 1996 for loan in one.loans)),
        "overdrawn": first(2, lambda one: shows(one, is_in_trouble)),
        "money leaving": first(3, lambda one: shows(one, money_is_leaving)),
    }  # fmt: skip


def shows(account: Account, holds: Callable[[Seen], bool]) -> bool:
    days = {line.day for line in account.lines if line.day >= WATCHED}
    return any(holds(Seen(account.until(day), day, day, day)) for day in days)


def first_day(account: Account, holds: Callable[[Seen], bool], until: date) -> date | None:
    """Only lines and closes of days can bring it about."""
    day = max(WATCHED, min(line.day for line in account.lines))
    while day <= until:
        if holds(Seen(account.until(day), day, day, day)):
            return day
        day += timedelta(days=1)
    return None


def pensions_stop(source: Path, target: Path, accounts: Iterable[str]) -> None:
    """A copy of the files in which the money comes in cash instead, so that every balance stays."""
    for name in FILES:
        (target / f"{name}.asc").symlink_to(source / f"{name}.asc")
    of_them = tuple(f";{number};" for number in accounts)
    with (target / "trans.asc").open("w", encoding="latin-1", newline="") as copy:
        for line in (source / "trans.asc").read_text("latin-1").splitlines():
            told = line.split(";")
            if "DUCHOD" in line and f";{told[1]};" in of_them and told[2] >= STOPS.strftime("%y%m%d"):
                line = ";".join([*told[:4], '"VKLAD"', *told[5:7], '""', "", ""])
            copy.write(f"{line}\r\n")


def of_accounts(events: Iterable[Event], accounts: set[str]) -> Iterator[Event]:
    """With their owners. Later than the last line only what is told of loans."""
    found = list(events)
    owners = {one["identifiers"]["customer_no"] for one in found
              if one["type"] == "account.opened" and one["identifiers"]["account_no"] in accounts}  # fmt: skip
    for one in found:
        named = one["identifiers"]
        is_theirs = named["account_no"] in accounts if "account_no" in named else named["customer_no"] in owners
        if is_theirs and (one["occurred_at"][:10] <= LAST_LINE.isoformat() or one["type"] == UNPAID):
            yield one


async def lived_through(events: Iterable[Event], own: Path) -> Rerun:
    declared = load_declarations("", str(own), partial(reference, secret=SECRET))
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    watched = int(datetime(WATCHED.year, WATCHED.month, WATCHED.day, tzinfo=UTC).timestamp() * 1000)
    rerun = Rerun(load_catalogue(), declared, SECRET, loaded.rule_set, loaded.desk, Choices(rhythm_s=WEEK_S), watched)
    await rerun.begin()
    for some in steps(_happened(events), STEP_MS):
        await rerun.take(some)
    return rerun


def _happened(events: Iterable[Event]) -> Iterator[Happened]:
    """What became of loans is told from another side: the books fall silent where the files end."""
    for raw in events:
        at = int(datetime.fromisoformat(raw["occurred_at"]).timestamp() * 1000)
        yield Happened(at, encode_event(admitted(raw, source="loans" if raw["type"] == UNPAID else "books", now=at)))


def test_a_pension_is_missed_five_working_days_after_the_day_on_which_it_always_came(lived: Lived) -> None:
    for number in lived.chosen["pension stopped"]:
        account, said = lived.books[number], lived.first(number, "R4")
        last = max(line.day for line in account.lines if is_pension(line))
        due = date(last.year + last.month // 12, last.month % 12 + 1, last.day)
        assert due >= STOPS
        assert said is not None
        assert seen_at(account, said.seen_at).bank_day == working_days_after(due, 5) + timedelta(days=1)
    for number in lived.chosen["pension"]:
        assert lived.first(number, "R4") is None


@pytest.mark.parametrize(
    ("kind", "rule", "holds"),
    [
        ("money leaving", "R2", money_is_leaving),
        ("overdrawn", "G2", is_in_trouble),
        ("loan unpaid", "G2", is_in_trouble),
    ],
)
def test_a_trouble_is_told_on_the_first_day_that_shows_it(
    lived: Lived, kind: str, rule: str, holds: Callable[[Seen], bool]
) -> None:
    for number in lived.chosen[kind]:
        account, said = lived.books[number], lived.first(number, rule)
        until = max([LAST_LINE, *(loan.ends for loan in account.loans)])
        assert said is not None
        assert seen_at(account, said.seen_at).day == first_day(account, holds, until)


def test_an_overdraft_that_is_long_over_is_no_trouble_any_more(lived: Lived) -> None:
    for number in lived.chosen["overdrawn"]:
        account, said = lived.books[number], lived.first(number, "U18")
        penalty = min(line.day for line in account.lines if is_penalty(line))
        assert said is None or seen_at(account, said.seen_at).day > penalty + timedelta(days=60)


def test_whatever_was_said_of_ten_customers_follows_from_their_lines(lived: Lived) -> None:
    explained = [number for kind, some in lived.chosen.items() if kind != "pension" for number in some]
    assert len(explained) == 10
    for number in explained:
        assert lived.said[number]
        for one in lived.said[number]:
            explain(lived.books[number], one)


def explain(account: Account, one: Evidence) -> None:
    seen, why = seen_at(account, one.seen_at), (account.number, one.rule, one.values)
    if one.rule == "U1":
        explain_credit(seen, one)
    elif one.rule == "R27":
        assert one.values["moment.fell"], why
        assert float(one.values["value_score"]) < 36, why
    else:
        assert RULES[one.rule](seen), why
    for name, value in one.values.items():
        if not name.startswith("moment.") and name not in NOT_IN_THE_FILES:
            assert value == pytest.approx(seen.fact(name), abs=0.011), (name, *why)


def explain_credit(seen: Seen, one: Evidence) -> None:
    [line] = [line for line in seen.account.lines if f"berka-trans-{line.number}" == one.event_id]
    assert one.values["moment.amount"] == line.change
    assert one.values["moment.bank"] == line.bank
    assert one.values["moment.percent_of_balance"] == pytest.approx(line.change * 100 / (line.balance - line.change))
    assert stands_out(seen, line.change)
