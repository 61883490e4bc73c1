"""What the rule catalogue finds in synthetic banks with planted stories: recall, precision, days of warning, noise.

Each bank is lived through by the clock of its events. A bank of many customers is several small ones side by side: a
story's customers have no dealings with those of another. Thresholds are set on seeds 1-5 and reported on 6-10.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.instants import DAY_MS, HOUR_MS
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.domain.counting import Caught, Planted, Spoken, caught, spoken_in
from services.cli.declared import known_of
from services.cli.rules.rerun import Happened, Rerun, steps
from services.cli.run.demo_sources import RHYTHM_HOURS
from services.declared_files import directories
from services.deployment import calm_collector
from services.profile.adapters.policies import load_declarations
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.states.personal import reference
from services.profile.settings import Choices
from services.simulator.bank import Bank, customer_no, start_of
from services.simulator.customers import customer
from services.simulator.stories import BLOCK, stories
from services.simulator.traffic import history
from tests.benchmarks.confirming import CHECKS, Event, histories
from tests.benchmarks.figures import Given, Report
from tests.profile.told import SECRET, admitted

ANCHOR = date(2026, 11, 22)
AFTER_DAYS, WATCHED_DAYS, MONTH_DAYS = 95, 130, 30.4
"""Stories begin at most 120 days before the anchor, and their signals end at most 90 days after it."""
STEP_MS = 6 * HOUR_MS


ANSWERS: Mapping[str, frozenset[str]] = {
    "drifting_to_competitor": frozenset({"R1", "R2", "R6", "R7", "R16", "R17", "R23"}),
    "salary_redirected": frozenset({"R1", "R2", "R4", "R5", "R6", "R7", "R23"}),
    "complaint_then_closed": frozenset({"R1", "R2", "R7", "R10", "R11", "R12", "R23", "R28"}),
    "near_threshold_rising": frozenset({"U1", "U2", "U7", "U8"}),
    "bonus_arriving": frozenset({"U1", "U4", "U10"}),
    "term_deposit_maturing": frozenset({"R18"}),
    "card_declined_abroad": frozenset({"R13", "R14"}),
    "manager_leaving": frozenset({"R1", "R2", "R7", "R23", "R25"}),
}
"""Which rules speak of a story: a birthday in it is no catch."""
COURTESY = ("U21", "U21B")


class Heard(msgspec.Struct):
    """Customers are named with their bank, since all banks number theirs alike. `confirmed`, `refuted`: words of a
    rule about customers without a story, by rule; `unchecked`: those of rules without a check."""

    planted: list[Planted]
    spoken: list[tuple[str, str, int]]
    alerts: int
    routed: int
    customers: int
    days: int
    confirmed: dict[str, int]
    refuted: dict[str, int]
    unchecked: dict[str, int]


class Asked(NamedTuple):
    seed: int
    part: int
    customers: int
    days: int


async def run(given: Given, report: Report) -> None:
    parts = max(1, given.customers // BLOCK)
    days = round(given.months * MONTH_DAYS)
    asked = [Asked(seed, part, BLOCK, days) for part in range(parts) for seed in given.seeds]
    kept = _kept(given.kept)
    found = [kept[one] for one in asked if one in kept]
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(given.processes, get_context("spawn")) as pool:
        waiting = [loop.run_in_executor(pool, heard, one, given.kept) for one in asked if one not in kept]
        for done in asyncio.as_completed(waiting):
            found.append(await done)
            report.note(f"{len(found)} of {len(asked)} banks of {BLOCK} customers: {_so_far(found)}")
    _tell(found, report)


def _kept(path: Path | None) -> dict[Asked, Heard]:
    if path is None or not path.exists():
        return {}
    return dict(msgspec.json.decode(line, type=tuple[Asked, Heard]) for line in path.read_bytes().splitlines())


def heard(asked: Asked, kept: Path | None) -> Heard:
    calm_collector()  # as the services do
    found = asyncio.run(_heard(asked))
    if kept is not None:
        with kept.open("ab") as file:
            file.write(msgspec.json.encode((asked, found)) + b"\n")
    return found


async def _heard(asked: Asked) -> Heard:
    bank = Bank(asked.seed * 1_000 + asked.part, asked.customers, ANCHOR)
    begins, end = ANCHOR - timedelta(days=asked.days - AFTER_DAYS), ANCHOR + timedelta(days=AFTER_DAYS)
    events = list(history(bank, begins, end))
    watched = max(start_of(begins), start_of(ANCHOR - timedelta(days=WATCHED_DAYS)))
    rerun = _rerun(watched)
    await rerun.begin()
    for some in steps(_happened(events), STEP_MS):
        await rerun.take(some)
    await rerun.advance(start_of(end))
    alerts = await rerun.found()
    planted = []
    for one in stories(bank):
        who = f"{bank.seed}/{await rerun.customer_of(f'party:{one.customer_no}')}"
        planted.append(Planted(one.kind, who, one.signal_from_ms, one.signal_until_ms, one.loss_ms))
    spoken = spoken_in(alerts, watched + DAY_MS, start_of(end))
    numbers = {await rerun.customer_of(f"party:{customer_no(one)}"): one for one in range(bank.size)}
    confirmed, refuted, unchecked = _checked(bank, events, spoken, numbers)
    return Heard(
        planted, [(one.rule, f"{bank.seed}/{one.customer_id}", one.at) for one in spoken],
        len({one.alert_id for one in spoken}),
        sum(one.routed_at > watched + DAY_MS for one in alerts), bank.size, (start_of(end) - watched) // DAY_MS,
        confirmed, refuted, unchecked,
    )  # fmt: skip


def _rerun(watched: int) -> Rerun:
    declared = load_declarations(refer=partial(reference, secret=SECRET))
    loaded = load_rules(directories(PRODUCT, ""), known_of(declared), Cel(), {})
    sources = [SourceSeen(f"demo-{channel}", channel, 0, 0, 0, hours * HOUR_MS, 60_000)
               for channel, hours in RHYTHM_HOURS.items()]  # fmt: skip
    return Rerun(load_catalogue(), declared, SECRET, loaded.rule_set, loaded.desk, Choices(), watched, sources)


def _happened(events: Sequence[Event]) -> Iterator[Happened]:
    for raw in events:
        at = int(datetime.fromisoformat(raw["occurred_at"]).timestamp() * 1000)
        yield Happened(at, encode_event(admitted(raw, source=f"demo-{raw['channel']}", now=at)))


def _checked(
    bank: Bank, events: Sequence[Event], spoken: Sequence[Spoken], numbers: dict[str, int]
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Of customers without a story, households and groups aside."""
    told, confirmed, refuted, unchecked = histories(bank, events), Counter[str](), Counter[str](), Counter[str]()
    for one in spoken:
        number = numbers.get(one.customer_id)
        if number is None or customer(bank, number).story is not None:
            continue
        check = CHECKS.get(one.rule)
        if check is None:
            unchecked[one.rule] += 1
        elif check(told[number], one.at):
            confirmed[one.rule] += 1
        else:
            refuted[one.rule] += 1
    return confirmed, refuted, unchecked


def _so_far(found: Sequence[Heard]) -> str:
    """A run takes hours: what it has found is told as it goes."""
    stories = _caught(found)[-1]
    right, wrong = _judged(found)
    known = right.total() + wrong.total()
    return (
        f"{stories.caught} of {stories.planted} stories caught, median warning {stories.median_days_of_warning} days, "
        f"{right.total()} of {known} words confirmed"
    )


def _caught(found: Sequence[Heard]) -> list[Caught]:
    planted = [story for one in found for story in one.planted]
    speaking = _answers(planted)
    return caught([one for one in _spoken(found) if one.rule in speaking.get(one.customer_id, ())], planted)


def _spoken(found: Sequence[Heard]) -> list[Spoken]:
    return [Spoken(rule, 1, who, "", "", "", at, at, 0) for one in found for rule, who, at in one.spoken]


def _judged(found: Sequence[Heard]) -> tuple[Counter[str], Counter[str]]:
    """How often each rule was right, and wrong, about customers without a story."""
    right, wrong = Counter[str](), Counter[str]()
    for one in found:
        right.update(one.confirmed)
        wrong.update(one.refuted)
    return right, wrong


def _tell(found: Sequence[Heard], report: Report) -> None:
    for one in _caught(found):
        name = one.kind or "all stories"
        report.tell(f"recall, {name} ({one.planted})", 100 * one.caught / one.planted, "%", "" if one.kind else ">= 95")
        if one.median_days_of_warning is not None:
            report.tell(f"median warning, {name}", one.median_days_of_warning, "days before the loss")
    _tell_noise(found, report)


def _answers(planted: Sequence[Planted]) -> dict[str, frozenset[str]]:
    """Customer → the rules that speak of what was planted there. In every bank one story a customer."""
    return {story.customer_id: ANSWERS[story.kind] for story in planted}


def _tell_noise(found: Sequence[Heard], report: Report) -> None:
    right, wrong = _judged(found)
    known = right.total() + wrong.total()
    report.tell("precision on customers without a story", 100 * right.total() / max(known, 1), "%", ">= 90")
    true, false = (sum(one.values()) - sum(one[rule] for rule in COURTESY) for one in (right, wrong))
    report.tell(
        "the same without birthdays and anniversaries", 100 * true / max(true + false, 1), f"% of {true + false}"
    )
    unchecked = sum((Counter(one.unchecked) for one in found), Counter[str]())
    report.tell("words of rules that have no independent check", unchecked.total(), f"beside {known}")
    months = sum(one.customers * one.days for one in found) / MONTH_DAYS / 100
    report.tell("alerts opened", sum(one.alerts for one in found) / months, "per 100 customers and month")
    report.tell(
        "alerts that reached somebody", sum(one.routed for one in found) / months, "per 100 customers and month"
    )
    for rule, times in Counter(one.rule for one in _spoken(found)).most_common():
        checked = f"{right[rule]} confirmed, {wrong[rule]} refuted, {unchecked[rule]} unchecked without a story"
        report.note(f"{rule:<6} {times:>6} words, {times / months:>6.2f} per 100 customers and month; {checked}")
