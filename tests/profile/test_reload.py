"""Reference tables, scales and portfolios that a bank replaces while processes run."""

import os
from pathlib import Path

import msgspec
import pytest
import structlog

from services import metrics as measure
from services.metrics import Metrics
from services.profile.adapters.policies import declarations_of, files_of
from services.profile.domain.facts.crossing import _side
from services.profile.reload import CurrentPolicy, Reload
from tests.profile.value.portrait import number

TODAY = number("2026-11-27")
RATES = "base: CNY\nrates:\n  USD: {{2026-01-01: '{}'}}\n"
COMPETITOR = "- {title: A new bank, bank: NEWB}\n"


class Process:
    """A bank's own rates, and a process that looks at them. `own`: of its tables; `catalogue`: of all else."""

    def __init__(self, directory: Path, declared: str = "") -> None:
        """`declared`: what stands in the catalogue's `value.yaml` from the begin on."""
        self.own, self.catalogue = directory / "tables", directory / "catalogue"
        self.own.mkdir()
        self.catalogue.mkdir()
        if declared:
            self.declare("value.yaml", declared)
        self.write(RATES.format("7.00"))
        files = files_of(str(self.catalogue), str(self.own))
        begun = declarations_of(files.texts(), None)
        self.metrics, self.current = Metrics(), CurrentPolicy(begun.policy)
        self._reload = Reload(files, lambda name: f"p_{name}", begun, self.current, self.metrics)

    def write(self, text: str, name: str = "rates.yaml") -> None:
        (self.own / name).write_text(text)

    def declare(self, name: str, text: str) -> None:
        """What the bank has to say in a file of the catalogue."""
        (self.catalogue / name).write_text(text)

    async def looks(self, times: int = 2) -> int | None:
        """What a hundred dollars are worth, in whole yuan."""
        for _ in range(times):
            await self._reload.look()
        minor = self.current().reference.home_minor(10_000, "USD", TODAY)
        return None if minor is None else minor // 100

    def counted(self, outcome: str) -> float:
        name = f"{measure.PREFIX}{measure.DECLARATIONS_READ.name}_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path)


async def test_a_replaced_file_is_taken_and_counted_and_nothing_is_read_anew_without_one(process: Process) -> None:
    before = process.current()
    assert await process.looks(4) == 700
    assert process.current() is before
    process.write(RATES.format("7.50"))
    assert await process.looks() == 750
    assert (process.counted("taken"), process.counted("refused")) == (1.0, 0.0)
    assert process.current().scales == before.scales


async def test_a_file_that_comes_by_renaming_is_taken_although_it_is_as_large_and_old_as_the_one_before(
    process: Process,
) -> None:
    await process.looks()
    old = process.own / "rates.yaml"
    before, new = old.stat(), process.own / "new"
    new.write_text(RATES.format("7.50"))
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.rename(old)
    assert await process.looks() == 750


async def test_a_file_that_is_being_written_is_left_alone_until_it_stands_still(process: Process) -> None:
    await process.looks()
    whole = RATES.format("7.50") + "  EUR: {2026-01-01: '8.00'}\n"
    for end in range(len(whole) - 26, len(whole)):
        process.write(whole[:end])
        assert await process.looks(1) == 700
    process.write(whole)
    assert await process.looks() == 750
    assert process.current().reference.rate("EUR", TODAY) == 8_000_000
    assert process.counted("refused") == 0


async def test_a_bad_file_is_told_once_with_its_line_and_the_tables_before_stay(process: Process) -> None:
    await process.looks()
    process.write(RATES.format("seven"))
    with structlog.testing.capture_logs() as told:
        assert await process.looks(5) == 700
    [mistake] = [one["mistake"] for one in told]
    assert mistake.startswith("rates.yaml:3: rates.USD.2026-01-01: a positive decimal number")
    assert (process.counted("taken"), process.counted("refused")) == (0.0, 1.0)
    process.write(COMPETITOR, "competitors.yaml")
    assert await process.looks() == 700
    assert not process.current().reference.is_competitor("NEWB/1", TODAY)
    process.write(RATES.format("7.50"))
    assert await process.looks() == 750
    assert process.current().reference.is_competitor("NEWB/1", TODAY)


async def test_a_file_of_the_banks_own_that_vanishes_is_no_return_to_the_samples(process: Process) -> None:
    await process.looks()
    (process.own / "rates.yaml").unlink()
    with structlog.testing.capture_logs() as told:
        assert await process.looks(4) == 700
    assert [one["mistake"][:18] for one in told] == ["rates.yaml is gone"]
    process.write(RATES.format("7.50"))
    assert await process.looks() == 750


async def test_so_is_a_file_of_the_catalogue_with_which_the_process_began(tmp_path: Path) -> None:
    process = Process(tmp_path, "hold_days: 5\n")
    (process.catalogue / "value.yaml").unlink()
    with structlog.testing.capture_logs() as told:
        await process.looks(4)
    assert [one["mistake"][:18] for one in told] == ["value.yaml is gone"]
    assert process.current().scales.hold_days == 5


async def test_another_home_currency_waits_for_the_next_start(process: Process) -> None:
    bank = (files_of().reference.product / "bank.yaml").read_text().replace("home_currency: CNY", "home_currency: USD")
    process.write(bank, "bank.yaml")
    with structlog.testing.capture_logs() as told:
        assert await process.looks() == 700
    assert "home_currency: another one takes effect at the next start" in told[0]["mistake"]


async def test_a_file_that_meets_a_bug_stops_nobody(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    await process.looks()

    def broken(*given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("services.profile.reload.declarations_of", broken)
    process.write(RATES.format("7.50"))
    assert await process.looks() == 700
    assert process.counted("refused") == 1


async def test_a_holiday_that_is_announced_is_a_free_day_for_whoever_asks(process: Process) -> None:
    asks = process.current.is_working_day
    calendar = (files_of().reference.product / "calendar.CN.yaml").read_text()
    await process.looks()
    assert asks(TODAY)
    process.write(calendar.replace("holidays:", "holidays:\n  announced: [2026-11-27]"), "calendar.CN.yaml")
    await process.looks()
    assert not asks(TODAY)


async def test_scales_and_portfolio_are_taken_and_a_bad_one_is_told_with_its_line(process: Process) -> None:
    await process.looks()
    before = process.current()
    process.declare("value.yaml", "hold_days: 5\n")
    process.declare("portfolio.yaml", "roster: [{manager_id: M-9}]\n")
    await process.looks()
    after = process.current()
    assert (after.scales.hold_days, [one.manager_id for one in after.portfolio.roster]) == (5, ["M-9"])
    assert after.version != before.version
    process.declare("value.yaml", "# days\nhold_days: soon\n")
    with structlog.testing.capture_logs() as told:
        await process.looks(4)
    assert [one["mistake"].partition(": ")[0] for one in told] == ["value.yaml:2"]
    assert process.current() is after


async def test_an_entry_that_the_bank_takes_back_is_the_product_s_again(process: Process) -> None:
    begun = process.current().scales.by_kind["person"]
    process.declare(
        "value.yaml", "by_kind: {person: {top_potential: 70, thresholds: [{tier: gold, enter: 70, leave: 60}]}}\n"
    )
    await process.looks()
    own = process.current().scales.by_kind["person"]
    assert [(one.tier, one.enter) for one in own.thresholds] == [("gold", 70), ("profit", 42)]
    process.declare("value.yaml", "by_kind: {person: {top_potential: 70}}\n")
    await process.looks()
    assert process.current().scales.by_kind["person"] == msgspec.structs.replace(begun, top_potential=70)


async def test_a_file_that_nobody_would_read_is_told_and_what_there_was_stays(process: Process) -> None:
    await process.looks()
    before = process.current()
    process.declare("vaule.yaml", "hold_days: 5\n")
    with structlog.testing.capture_logs() as told:
        await process.looks(4)
    assert [one["mistake"].partition(",")[0] for one in told] == ["vaule.yaml is read by nobody in this directory"]
    assert process.current() is before


@pytest.mark.parametrize(
    ("name", "text"), [("measures.yaml", "measures: []\n"), ("series.yaml", "version: 1\n")],
)  # fmt: skip
async def test_what_is_counted_and_measured_waits_for_the_next_start_and_holds_up_nothing_else(
    process: Process, name: str, text: str
) -> None:
    await process.looks()
    before = process.current()
    process.declare(name, text)
    with structlog.testing.capture_logs() as told:
        assert await process.looks(4) == 700
    assert [one["event"].partition(": ")[2] for one in told] == ["that takes effect at the next start"]
    assert process.current() is before
    process.write(RATES.format("7.50"))
    assert await process.looks() == 750
    assert process.current().measures == before.measures


async def test_what_was_remembered_of_one_table_is_not_said_by_the_next(process: Process) -> None:
    flow = "debit:CNY:NEWB#"
    await process.looks()
    assert not _side(flow, process.current().reference).is_known
    process.write(COMPETITOR, "competitors.yaml")
    await process.looks()
    assert _side(flow, process.current().reference).is_known


async def test_who_asked_for_tables_before_keeps_one_set_of_them(process: Process) -> None:
    await process.looks()
    policy = process.current()
    process.write(RATES.format("7.50"))
    process.write(COMPETITOR, "competitors.yaml")
    await process.looks()
    assert policy.reference.home_minor(10_000, "USD", TODAY) == 70_000
    assert not policy.reference.is_competitor("NEWB/1", TODAY)
    now = process.current()
    assert now == msgspec.structs.replace(policy, reference=now.reference, version=now.version)
