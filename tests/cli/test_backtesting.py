"""A past lived through again says what the platform said: the same situations stand at the end."""

import asyncio
import gc
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.instants import DAY_MS
from schemas.topics import CHANNEL_EVENTS, PROFILE_CHANGES
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.adapters.sql import SqlAlertStore
from services.alerts.domain.alert import Alert
from services.alerts.ports import AlertFilter
from services.cli.beside import Beside, opened, settings_of
from services.cli.declared import known_of
from services.cli.rules.backtesting import STEP_MS, Asked, Deployment, lived_again
from services.cli.rules.rerun import Happened, Rerun, steps
from services.clock import SystemClock
from services.declared_files import directories
from services.embedded.log import EmbeddedLog
from services.log import EventLog, Message, PositionStore
from services.profile.adapters.policies import Declarations, load_declarations
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.personal import reference
from services.profile.domain.states.series import Counting
from services.profile.domain.value.policy import RosterEntry
from services.profile.ports.records import Decision
from services.profile.settings import Choices
from services.profile.upkeep import Upkeep
from services.simulator.bank import Bank, start_of
from services.simulator.traffic import history
from tests.cli.conftest import Command, in_log, running
from tests.journeys.bank import cny, event
from tests.journeys.platforms import until
from tests.profile.told import SECRET, admitted
from tests.replay.disorder import disordered

Ends = dict[int, int]
Said = dict[tuple[str, str, str, int], list[int]]
BANK = Bank(3, 40, date(2026, 11, 22))
FEW = Bank(3, 12, BANK.anchor)
TWO = ("party:10000002", "party:10000011")
MERGED = [
    Decision("dec_1", "merge", TWO, "anna", "one person", start_of(FEW.anchor - timedelta(days=20))),
    Decision("dec_2", "split", TWO, "bo", "two after all", start_of(FEW.anchor - timedelta(days=8)), undoes="dec_1"),
]
RHYTHM, HOUR_MS = Choices(rhythm_s=30 * 86_400), 3_600_000
START, END = BANK.anchor - timedelta(days=75), BANK.anchor + timedelta(days=30)


def standing(alerts: Iterable[Alert]) -> Said:
    """(customer, situation, rule, version) → when what is behind it happened, or since when it holds."""
    found: Said = {}
    for alert in alerts:
        for one in alert.current_evidence() if alert.is_open else ():
            key = (alert.customer_id, alert.situation, one.rule, one.rule_version)
            found.setdefault(key, []).append(one.occurred_at)
    return {key: sorted(times) for key, times in found.items()}


def agree(one: Said, other: Said, within_ms: int) -> None:
    assert one.keys() == other.keys()
    assert len(one) > 5
    for key, times in one.items():
        assert all(abs(a - b) <= within_ms for a, b in zip(times, other[key], strict=True)), key


async def settled(beside: Beside, alerts: SqlAlertStore) -> None:
    """Until all that was sent has become a view, then a statement, then what the rules say of it."""

    async def stated() -> bool:
        return not await beside.store.marks_waiting() and not await beside.store.lanes_waiting()

    async with beside.log() as log:
        for store, topic in ((beside.store, CHANNEL_EVENTS.name), (alerts, PROFILE_CHANGES.name)):
            ends = {partition: end for partition, (first, end) in (await log.ends(topic)).items() if first < end}

            async def worked_off(store: PositionStore = store, topic: str = topic, ends: Ends = ends) -> bool:
                reached = await store.positions(topic, list(ends))
                return all(partition in reached and reached[partition].next >= end for partition, end in ends.items())

            await until(worked_off, 0.1)
            await until(stated, 0.1)


async def both(data: Path) -> tuple[Said, Said]:
    """What stands live, and what a backtest of the same says."""
    async with opened(settings_of(data)) as beside:
        alerts = SqlAlertStore(beside.database)
        await settled(beside, alerts)
        declared = load_declarations("", "", partial(reference, secret=beside.naming.secret))
        loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
        asked = Asked(loaded, [], 0, SystemClock().now_ms(), "accepted", None)
        deployment = Deployment(beside.store, alerts, load_catalogue(), declared, Choices(), beside.naming.secret)
        rerun, _ = await lived_again(asked, deployment, lambda *_: None)
        return standing(await alerts.find(AlertFilter(), None, 10_000)), standing(await rerun.found())


def persons(run: Command, customers: Iterable[str]) -> list[str]:
    """Without households and companies: who may be merged with one another, and erased."""
    return [one for one in customers if run("customers", "show", one, "--json").json["kind"] == "person"]


def test_a_backtest_of_the_live_rules_gives_the_live_situations_with_what_people_decided(tmp_path: Path) -> None:
    with running(tmp_path / "var") as platform:
        assert platform.run("simulate", "--customers", "40", "--days", "75", "--seed", "3").code == 0
        told, _ = asyncio.run(both(platform.data))
        one, other, erased, *_ = persons(platform.run, sorted({customer for customer, *_ in told}))
        assert platform.run("customers", "merge", one, other, "--reason", "one person").code == 0
        live, again = asyncio.run(both(platform.data))
        # what was said of two may be true of neither once they are one: the ids, and so the pair, differ in every run
        assert not {one, other} <= {customer for customer, *_ in live}
        agree(live, again, 600_000)
        assert erased in {customer for customer, *_ in live}
        assert platform.run("customers", "erase", erased, "--reason", "asked for it", "--yes").code == 0
        live, again = asyncio.run(both(platform.data))
        assert erased not in {customer for customer, *_ in live}
        agree(live, again, 600_000)
        today = datetime.now().date()
        period = ("--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1)))
        told = platform.run("rules", "backtest", "U20", "R16", *period, "--json").json
        assert [one["rule"] for one in told["rules"]] == ["U20", "R16"]
        assert sum(one["spoken"] for one in told["rules"]) > 0


def test_an_unknown_rule_and_a_day_that_is_none_are_refused(counterpoint: Command, deployment: Path) -> None:
    said = counterpoint("rules", "backtest", "R99", "--from", "2026-05-01", "--to", "2026-05-02")
    assert (said.code, "there is no rule R99" in said.err) == (1, True)
    said = counterpoint("rules", "backtest", "--from", "May", "--to", "2026-05-02")
    assert said.err == "error: --from: a day such as 2026-05-01 is expected\n"


@pytest.fixture
def collector_of_python() -> Iterator[None]:
    """As Python begins with it. A command sets it for its whole process, and here that process goes on."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector_of_python")
def test_nobody_looks_for_circles_every_few_objects_of_a_past(counterpoint: Command, deployment: Path) -> None:
    assert counterpoint("rules", "backtest", "--from", "2026-05-01", "--to", "2026-05-02").code == 0
    assert gc.get_threshold()[0] > 10_000


def test_a_backtest_warns_of_events_that_are_still_to_be_processed(counterpoint: Command, deployment: Path) -> None:
    async def one_event(log: EmbeddedLog) -> None:
        await log.append(CHANNEL_EVENTS.name, [Message(b"a", b"one")])

    period = ("--from", "2026-05-01", "--to", "2026-05-02")
    assert counterpoint("rules", "backtest", *period).err.strip() == ""
    in_log(deployment, one_event)
    said = counterpoint("rules", "backtest", *period)
    assert "warning: events that wait to be processed and are not in this backtest: 1; run it again" in said.err


def test_a_draft_is_laid_over_the_live_rules_and_its_mistakes_are_told(
    counterpoint: Command, deployment: Path, tmp_path: Path
) -> None:
    draft, period = tmp_path / "mine.yaml", ("--from", "2026-05-01", "--to", "2026-05-02")
    written = """rules:
  - {id: R4, kind: retention, situation: leaving, name: {en: x, zh: y}, reason: {en: x, zh: y}, when: [assets > 1.0]}
"""
    draft.write_text(written)
    told = counterpoint("rules", "backtest", str(draft), *period, "--json").json
    assert (told["events"], [one["rule"] for one in told["rules"]]) == (0, ["R4"])
    draft.write_text(written.replace("assets >", "asets >"))
    said = counterpoint("rules", "backtest", str(draft), *period)
    assert "mine.yaml:2: R4 when[0]: no fact is called asets; did you mean assets?" in said.err


def whose(alerts: Iterable[Alert]) -> list[tuple[str, str, str, str]]:
    return sorted((one.customer_id, one.situation, one.owner, one.tier) for one in alerts if one.is_open)


def judged_otherwise(declared: Declarations) -> Declarations:
    """The bars of the tiers at two thirds, and a manager with room for two customers."""
    policy = declared.policy
    by_kind = {
        kind: msgspec.structs.replace(scale, thresholds=tuple(
            msgspec.structs.replace(one, enter=one.enter * 2 // 3, leave=one.leave * 2 // 3) for one in scale.thresholds
        ))
        for kind, scale in policy.scales.by_kind.items()
    }  # fmt: skip
    roster = (RosterEntry("M-THEN", capacity=2),)
    scales = msgspec.structs.replace(policy.scales, by_kind=by_kind)
    portfolio = msgspec.structs.replace(policy.portfolio, roster=roster)
    return declared._replace(policy=msgspec.structs.replace(policy, scales=scales, portfolio=portfolio))


async def test_a_backtest_takes_tiers_and_owners_as_they_were_whatever_is_declared_by_now() -> None:
    """Those of customers who were merged and split again meanwhile as well."""
    declared = load_declarations("", "", partial(reference, secret=SECRET))
    until = start_of(FEW.anchor + timedelta(days=3))
    events = history(FEW, FEW.anchor - timedelta(days=40), FEW.anchor)
    live = await lived(judged_otherwise(declared), events, MERGED, disorder=False, step_ms=STEP_MS, until=until)
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    deployment = Deployment(live.profile, live.alerts, load_catalogue(), declared, RHYTHM, SECRET)
    again, _ = await lived_again(Asked(loaded, [], 0, until, "accepted", None), deployment, lambda *_: None)
    anew, _ = await lived_again(Asked(loaded, [], 0, until, "event", None), deployment, lambda *_: None)
    then, told = await live.found(), await again.found()
    assert "M-THEN" in {owner for _, _, owner, _ in whose(then)}
    assert (standing(told), whose(told)) == (standing(then), whose(then))
    assert whose(await anew.found()) != whose(then)  # it could not be chosen again


async def test_a_backtest_knows_of_customers_what_has_aged_out_of_the_timeline() -> None:
    declared = load_declarations("", "", partial(reference, secret=SECRET))
    until = start_of(FEW.anchor)
    events = history(FEW, FEW.anchor - timedelta(days=150), FEW.anchor)
    live = await lived(declared, events, MERGED, disorder=False, step_ms=STEP_MS, until=until)
    fold = Fold(load_catalogue(), Counting(declared.series), declared.series.version)
    kept = (await live.profile.counts(["events"]))["events"]
    upkeep = Upkeep(live.profile, cast(EventLog, None), fold, 3, 25, pause=lambda: asyncio.sleep(0))
    assert kept // 2 > (await upkeep.apply(until)).events > 100
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    deployment = Deployment(live.profile, live.alerts, load_catalogue(), declared, RHYTHM, SECRET)
    again, _ = await lived_again(Asked(loaded, [], 0, until, "accepted", None), deployment, lambda *_: None)
    assert standing(await again.found()).keys() == standing(await live.found()).keys()
    assert await facts_of(again) == await facts_of(live)


def of_a_household(anchor: date) -> Iterator[dict[str, Any]]:
    """A rich member in M-1's care and a poor one in M-2's; much of the money goes, and then M-1 leaves for M-3."""

    def at(days: int, hours: int = 9) -> str:
        return (datetime(anchor.year, anchor.month, anchor.day, hours, tzinfo=UTC) - timedelta(days=days)).isoformat()

    for number, manager, assets in (("20000001", "M-1", "6100000.00"), ("20000002", "M-2", "200000.00")):
        account = {"account_no": f"{number}1", "customer_no": number}
        yield event("account.opened", at(30), **account)
        yield event("manager.assigned", at(30, 10), customer_no=number, manager_id=manager)
        yield event("household.joined", at(30, 11), customer_no=number, household_no="H-1")
        yield event(
            "cash.deposited", at(30, 12), account_no=f"{number}1", amount=cny(assets), balance_after=cny(assets)
        )
    yield event("cash.withdrawn", at(10), account_no="200000011", amount=cny("2000000.00"),
                balance_after=cny("4100000.00"))  # fmt: skip
    yield event("manager.left", at(5), successor_id="M-3") | {"identifiers": {"manager_id": "M-1"}}


async def test_a_household_has_the_owner_in_a_backtest_that_it_had_live() -> None:
    declared = load_declarations("", "", partial(reference, secret=SECRET))
    until = start_of(FEW.anchor)
    events = sorted(of_a_household(FEW.anchor), key=lambda one: str(one["occurred_at"]))
    live = await lived(declared, events, disorder=False, step_ms=STEP_MS, until=until)
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    deployment = Deployment(live.profile, live.alerts, load_catalogue(), declared, RHYTHM, SECRET)
    again, _ = await lived_again(Asked(loaded, [], 0, until, "accepted", None), deployment, lambda *_: None)
    household = await live.customer_of("household:H-1")
    [then] = [one for one in await live.found() if one.customer_id == household]
    [told] = [one for one in await again.found() if one.customer_id == household]
    assert (then.situation, then.owner) == ("threshold", "M-3")
    steps_taken = [(one.action, one.note) for one in then.history]
    assert ("hand_over", "from M-1 to M-3") in steps_taken
    assert ([(one.action, one.note) for one in told.history], told.owner) == (steps_taken, "M-3")


async def facts_of(rerun: Rerun) -> dict[str, Any]:
    async with rerun.profile._tables.turn() as tables:
        return {view.lead: msgspec.json.decode(view.facts) for view in tables.views.rows() if view.is_live}


async def lived(
    declared: Declarations,
    events: Iterable[dict[str, Any]],
    decisions: Sequence[Decision] = (),
    *,
    disorder: bool,
    step_ms: int = 6 * HOUR_MS,
    until: int = start_of(END) + 4 * DAY_MS,
) -> Rerun:
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    rerun = Rerun(load_catalogue(), declared, SECRET, loaded.rule_set, loaded.desk, RHYTHM)
    await rerun.begin()
    ahead = deque(decisions)
    for some in steps(_happened(events, disorder), step_ms):
        while ahead and ahead[0].at <= some[0].at:
            await rerun.decide(ahead.popleft())
        await rerun.take(some)
    await rerun.advance(until)
    return rerun


def _happened(events: Iterable[dict[str, Any]], disorder: bool) -> Iterator[Happened]:
    at = 0
    for raw in disordered(events, seed=5, within_ms=DAY_MS, repeats=0.2) if disorder else events:
        at = max(at, int(datetime.fromisoformat(raw["occurred_at"]).timestamp() * 1000))
        yield Happened(at, encode_event(admitted(raw, now=at)))


async def test_what_comes_late_and_twice_leaves_the_same_situations_standing() -> None:
    declared = load_declarations("", "", partial(reference, secret=SECRET))
    events = list(history(BANK, START, END))
    orderly = await lived(declared, events, disorder=False)
    shuffled = await lived(declared, events, disorder=True)
    agree(standing(await orderly.found()), standing(await shuffled.found()), 2 * DAY_MS)
