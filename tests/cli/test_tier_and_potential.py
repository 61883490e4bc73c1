"""Hand-made customers whose tier falls, whose potential rises, or whose assets cross the private-banking threshold:
what the rules say of them, day by day."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Any

from services.alerts.domain.alert import Alert
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.personal import reference
from tests.cli.test_backtesting import lived
from tests.journeys.bank import Json, cny, event
from tests.profile.told import SECRET

BEIJING = timezone(timedelta(hours=8))
CUSTOMER, ACCOUNT = {"customer_no": "30000001"}, {"account_no": "300000011"}
BEGAN, LEFT = datetime(2026, 1, 5, 9, tzinfo=BEIJING), datetime(2026, 8, 10, 12, tzinfo=BEIJING)


async def alerts_of(events: list[Json], until: datetime) -> list[Alert]:
    """Oldest first."""
    declared = load_declarations("", "", partial(reference, secret=SECRET))
    told = sorted(events, key=lambda one: str(one["occurred_at"]))
    life = await lived(declared, told, disorder=False, step_ms=60_000, until=int(until.timestamp() * 1000))
    return sorted(await life.found(), key=lambda one: one.opened_at)


def said(alerts: list[Alert], rule: str) -> list[tuple[str, int, str]]:
    """On which day (in Beijing), how gravely, and what, each time that the rule spoke."""
    return [
        (datetime.fromtimestamp(one.seen_at / 1000, BEIJING).date().isoformat(), one.severity, one.text.en)
        for alert in alerts for one in alert.evidence if one.rule == rule
    ]  # fmt: skip


def moved(what: str, at: datetime, amount: int, left: int, other: dict[str, str], **told: Any) -> Json:
    sums = {"amount": cny(f"{amount}.00"), "balance_after": cny(f"{left}.00"), "counterparty": other}
    return event(what, at.isoformat(), **ACCOUNT, **told) | sums


def beginning() -> list[Json]:
    return [
        event("customer.registered", BEGAN.isoformat(), **CUSTOMER, kind="person"),
        event("account.opened", BEGAN.isoformat(), **CUSTOMER, **ACCOUNT, account_kind="current"),
    ]


async def test_a_tier_that_falls_is_told_once_it_has_been_so_for_days_and_again_when_it_falls_further() -> None:
    other = {"name": "Elsewhere", "account_no": "7001", "bank": "OTHR"}
    rich = [moved("transfer.received", BEGAN + timedelta(hours=1), 7_000_000, 7_000_000, other)]
    monthly = [BEGAN.replace(month=month) for month in range(2, 8)]
    rich += [moved("transfer.received", at, 60_000, 7_100_000, other) for at in monthly]
    gone = moved("transfer.sent", LEFT, 7_000_000, 100_000, other)
    alerts = await alerts_of([*beginning(), *rich, gone], LEFT + timedelta(days=40))
    [first, second] = said(alerts, "R27")
    assert first[:2] == ("2026-08-13", 2)  # so judged at the close of three bank days in a row
    assert first[2].startswith("The tier fell from gold to profit")
    assert second[1:] == (1, "The tier fell from profit to general; the value score is 34")


async def test_assets_that_sway_about_the_threshold_are_no_fall_and_those_that_go_are_one() -> None:
    other = {"name": "Elsewhere", "account_no": "7001", "bank": "OTHR"}
    told = [*beginning(), moved("transfer.received", BEGAN + timedelta(hours=1), 6_001_000, 6_001_000, other)]
    for week in range(6):
        away, back = LEFT + timedelta(days=7 * week), LEFT + timedelta(days=7 * week + 3)
        told += [
            moved("transfer.sent", away, 2_000, 5_999_000, other),
            moved("transfer.received", back, 2_000, 6_001_000, other),
        ]
    gone = LEFT + timedelta(days=45)
    assert said(await alerts_of(told, gone), "R26") == []
    told.append(moved("transfer.sent", gone, 500_000, 5_501_000, other))
    alerts = await alerts_of(told, gone + timedelta(days=1))
    [(day, severity, text)] = said(alerts, "R26")
    assert (day, severity) == (gone.date().isoformat(), 3)
    assert [one.value for one in alerts if one.situation == "threshold" and one.is_open] == [5_999_000.0]
    assert text == "Assets fell from above the threshold to near the threshold; CNY -498,000 within 30 days"


async def test_assets_that_rise_one_day_and_not_the_next_are_told_once() -> None:
    other = {"name": "Elsewhere", "account_no": "7001", "bank": "OTHR"}
    rich = [
        *beginning(), event("consent.given", BEGAN.isoformat(), **CUSTOMER, purpose="marketing"),
        moved("transfer.received", BEGAN + timedelta(hours=1), 5_000_000, 5_000_000, other),
    ]  # fmt: skip
    here, away = [[LEFT + timedelta(days=day) for day in range(first, 28, 4)] for first in (0, 2)]
    told = [*rich, *(moved("transfer.received", at, 105_000, 5_105_000, other) for at in here)]
    told += [moved("transfer.sent", at, 105_000, 5_000_000, other) for at in away]

    async def on_day(days: int) -> list[tuple[str, int]]:
        alerts = await alerts_of(told, LEFT + timedelta(days=days))
        # the first millions were an opportunity, too
        lately = [one for one in alerts if one.opened_at >= LEFT.timestamp() * 1000]
        return [(one.state, len(one.evidence)) for one in lately if one.situation == "threshold"]

    assert await on_day(28) == [("routed", 1)]
    assert await on_day(45) == [("expired", 1)]


def paid_and_sent(finally_left: int) -> Iterator[Json]:
    """A salary of 46,000 each month, of which the rent is paid and the rest goes to a competitor, until one month
    somewhat more stays."""
    employer = {"name": "Northern Steel", "account_no": "900", "bank": "OWNB", "kind": "employer"}
    landlord = {"name": "Sunrise Property", "account_no": "70", "bank": "BJRB", "kind": "landlord"}
    rival = {"name": "Alpha", "account_no": "88", "bank": "CMPA"}
    left = 12_000
    for month in range(1, 12):
        payday = datetime(2026, month, 15, 9, tzinfo=BEIJING)
        stays = finally_left if month == 11 else 12_000
        sent = left + 38_000 - stays
        yield moved("salary.credited", payday, 46_000, left + 46_000, employer)
        rent = {"purpose": "household_payment", "direction": "debit"}
        yield moved("transaction.posted", payday + timedelta(hours=1), 8_000, left + 38_000, landlord, **rent)
        yield moved("transfer.sent", payday + timedelta(hours=2), sent, stays, rival)
        left = stays


async def test_potential_that_has_risen_is_told_when_the_month_is_over_and_not_for_hours_on_every_payday() -> None:
    async def told(finally_left: int) -> list[Alert]:
        until = datetime(2026, 12, 20, tzinfo=BEIJING)
        alerts = await alerts_of([*beginning(), *paid_and_sent(finally_left)], until)
        return [one for one in alerts if "U22" in dict(one.rules)]

    def opened(alerts: list[Alert]) -> list[date]:
        return [datetime.fromtimestamp(one.opened_at / 1000, BEIJING).date() for one in alerts]

    risen, level = await told(15_500), await told(12_000)
    # the salary, and what is sent elsewhere, become known by and by
    assert opened(level) == [date(2026, 3, 3), date(2026, 6, 2)]
    assert opened(risen) == [*opened(level), date(2026, 12, 2)]
    (day, severity, text) = said(risen, "U22")[-1]
    assert (day, severity, text) == (
        "2026-12-02",
        1,
        "A general customer whose potential was in the top tenth and growing at the end of the month before "
        "(60 points by now)",
    )
