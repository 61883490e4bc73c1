"""`rules backtest`: what rules, drafted or live, would have said of a past. Nothing is raised, no inbox changes."""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.instants import DAY_MS
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import Loaded, load_rules
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import Known
from services.alerts.domain.counting import (
    Caught,
    Planted,
    Right,
    RuleCount,
    caught,
    count,
    right_by_outcome,
    right_by_truth,
    spoken_in,
)  # fmt: skip
from services.alerts.pages import pages
from services.alerts.ports import AlertFilter, AlertStore
from services.cli.refusals import Refusal
from services.cli.rules.aged_past import AgedPast
from services.cli.rules.past import ClockOf, StoredPast
from services.cli.rules.placements import Placements
from services.cli.rules.rerun import Rerun, steps
from services.declared_files import Directories
from services.profile.adapters.policies import Declarations
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import Decision
from services.profile.settings import Choices

LEAD_DAYS, STEP_MS, ALERTS_AT_ONCE = 45, 60_000, 1_000
"""For so long before the period customers are watched already: alerts from before it are none of the period."""


class Asked(NamedTuple):
    """`rules`: what is told of; the others are what they are compared with. `since`, `until`: ms. `truth`: a file as
    `simulate --truth` writes it."""

    loaded: Loaded
    rules: Sequence[str]
    since: int
    until: int
    clock: ClockOf
    truth: Path | None


class Deployment(NamedTuple):
    """Where the past is kept, and how this deployment judges it."""

    reader: ProfileReader
    alerts: AlertStore
    event_types: Mapping[str, EventType]
    declared: Declarations
    choices: Choices
    secret: bytes


class Found(msgspec.Struct, frozen=True):
    """`right`: by the truth where it was given, else by what people made of their alerts. `caught`: of a truth."""

    events: int
    rules: list[RuleCount]
    right: list[Right]
    caught: list[Caught]
    broken: dict[str, str]


class _Story(msgspec.Struct):
    kind: str
    customer_no: str
    signal_from_ms: int
    signal_until_ms: int
    loss_ms: int


Shown = Callable[[str, int, int, str], None]
"""What is being done, how far it is, of how many (0: nobody knows), and the rate."""


def drafted(file: Path, known: Known, live: Loaded) -> tuple[Loaded, list[str]]:
    """The live rules with those of a file laid over them, and the ids of the latter. Raises `Refusal` with every
    mistake."""
    with TemporaryDirectory() as directory:
        shutil.copy(file, Path(directory) / "draft.yaml")
        draft = load_rules(Directories(Path(directory)), known, Cel(), {})
    if draft.mistakes:
        raise Refusal("\n".join(str(one._replace(file=file.name)) for one in draft.mistakes))
    rules = draft.rule_set.rules
    ids = [rule.id for rule in rules]
    kept = [rule for rule in live.rule_set.rules if rule.id not in ids]
    return live._replace(rule_set=live.rule_set.with_rules(draft.rule_set.version, [*kept, *rules])), ids


async def backtest(asked: Asked, deployment: Deployment, shown: Shown) -> Found:
    planted = _truth(asked.truth)
    rerun, events = await lived_again(asked, deployment, shown)
    spoken = spoken_in(await rerun.found(), asked.since, asked.until)
    told = [one for one in spoken if one.rule in asked.rules]
    stories = [Planted(one.kind, await rerun.customer_of(f"party:{one.customer_no}"), one.signal_from_ms,
                       one.signal_until_ms, one.loss_ms) for one in planted]  # fmt: skip
    right = right_by_truth(told, stories) if stories else right_by_outcome(told, await _worked(deployment.alerts))
    return Found(
        events, count(spoken, asked.rules), right, caught(told, stories) if stories else [], dict(rerun.broken)
    )


async def lived_again(asked: Asked, deployment: Deployment, shown: Shown) -> tuple[Rerun, int]:
    """With how many events. A past that was sent later was placed when it was sent, so there it is done anew."""
    sources = [one._replace(partition=0, heartbeat_at=0, accepted_at=0, enabled=True)
               for one in await deployment.reader.sources_seen()]  # fmt: skip
    placements = await Placements.read(deployment.reader, asked.until) if asked.clock == "accepted" else None
    rerun = Rerun(
        deployment.event_types, deployment.declared, deployment.secret, asked.loaded.rule_set, asked.loaded.desk,
        deployment.choices, asked.since - LEAD_DAYS * DAY_MS, sources, placements,
    )  # fmt: skip
    await rerun.begin(await AgedPast.read(deployment.reader))
    with TemporaryDirectory() as directory:
        past = StoredPast(deployment.reader, asked.clock, Path(directory))
        events = await past.lay(asked.until, lambda read: shown("Reading", read, 0, ""))
        decisions = await deployment.reader.decisions_taken(asked.until)
        await _live_through(rerun, past, deque(decisions), events, shown)
    await rerun.advance(asked.until)
    return rerun, events


async def _live_through(rerun: Rerun, past: StoredPast, decisions: deque[Decision], events: int, shown: Shown) -> None:
    """`decisions` of people, in their order, each after what had happened before it."""
    began, done = time.monotonic(), 0
    async for day in past.happened():
        for some in steps(day, STEP_MS):
            while decisions and decisions[0].at <= some[0].at:
                await rerun.decide(decisions.popleft())
            await rerun.take(some)
            done += len(some)
            shown("Living through it again", done, events, f"{done / (time.monotonic() - began):,.0f}/s")
            await asyncio.sleep(0)
    for decision in decisions:
        await rerun.decide(decision)


def _truth(file: Path | None) -> list[_Story]:
    """Raises `Refusal`."""
    if file is None:
        return []
    try:
        return [msgspec.json.decode(line, type=_Story) for line in file.read_bytes().splitlines() if line]
    except (OSError, msgspec.MsgspecError) as error:
        raise Refusal(f"{file}: {error}") from None


async def _worked(store: AlertStore) -> Iterable[Alert]:
    """What people have closed."""
    return [one async for some in pages(store, AlertFilter(state=("closed",)), ALERTS_AT_ONCE) for one in some]
