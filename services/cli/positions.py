"""`positions`: how far the log was worked, and going back after a fail-over or when a topic was made anew."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from schemas.instants import millis
from schemas.topics import ALERTS, CHANNEL_EVENTS, DEAD_LETTERS, PROFILE_CHANGES
from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.output import show_json, show_rows
from services.cli.refusals import Misuse
from services.cli.rewinding import LEDGER_REACH_MS, Backlog, checked, chosen, told_of
from services.clock import SystemClock
from services.log import EventLog, Position

if TYPE_CHECKING:
    from services.alerts.adapters.sql import SqlAlertStore
    from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
    from services.profile.adapters.sql import SqlProfileStore

app = typer.Typer(no_args_is_help=True, help="How far the log has been processed; go back after a fail-over.")
WORKED = (CHANNEL_EVENTS.name, DEAD_LETTERS.name, PROFILE_CHANGES.name, ALERTS.name)
COLUMNS = {"topic": "Topic", "partition": "Partition", "next": "Next", "first": "Log from", "end": "Log to",
           "lag": "Waiting", "state": "State"}  # fmt: skip


def _keeper(beside: Beside, topic: str) -> "SqlProfileStore | SqlAlertStore | SqlDeliveryStore":
    """Each service keeps the positions of what it works beside its own tables."""
    from services.alerts.adapters.sql import SqlAlertStore
    from services.alerts.adapters.sql_deliveries import SqlDeliveryStore

    if topic == PROFILE_CHANGES.name:
        return SqlAlertStore(beside.database)
    return SqlDeliveryStore(beside.database) if topic == ALERTS.name else beside.store


async def backlogs(log: EventLog, beside: Beside, topic: str) -> list[Backlog]:
    """Raises `UnknownTopic`, `Unavailable`."""
    partitions, topic_id = sorted(await log.ends(topic)), await log.topic_id(topic)
    stored = await _keeper(beside, topic).positions(topic, partitions)
    ends = await log.ends(topic)  # after the positions: a worker that goes on meanwhile would seem beyond the end
    return [Backlog(topic, topic_id, one, stored.get(one), *ends[one]) for one in partitions]


async def all_backlogs(log: EventLog, beside: Beside) -> list[Backlog]:
    """Raises as `backlogs`."""
    return [one for topic in WORKED for one in await backlogs(log, beside, topic)]


@app.command()
def show(data: Data = None, as_json: Json = False) -> None:
    """How far each partition has been processed, and how much is waiting."""

    async def work(beside: Beside) -> list[dict[str, Any]]:
        async with beside.log() as log:
            return [row_of(one) for one in await all_backlogs(log, beside)]

    show_rows(
        in_deployment(data, work),
        COLUMNS,
        as_json=as_json,
        nothing="the log has no partitions: start the platform once",
    )


def row_of(one: Backlog) -> dict[str, Any]:
    following = one.stored.next if one.stored else None
    return {
        "topic": one.topic, "partition": one.partition, "next": following, "first": one.first, "end": one.end,
        "lag": one.lag, "state": one.state,
    }  # fmt: skip


@app.command()
def rewind(
    to_time: Annotated[
        str | None, typer.Option(help="Go to the first record written from then on: 2026-11-22T09:30+08:00.")
    ] = None,
    to_offset: Annotated[int | None, typer.Option(min=0, help="Go to this offset; needs --partition.")] = None,
    topic: Annotated[str, typer.Option(help=f"{' or '.join(WORKED)}.")] = CHANNEL_EVENTS.name,
    partition: Annotated[list[int] | None, typer.Option(help="Only this partition; repeatable.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Process a part of the log again: events that were counted before still count once.

    It goes back at most 7 days, as far as the ledger of counted events reaches. Workers may keep running: they notice
    the moved position, give up the batch in hand and continue from there, within ten seconds where nothing new
    arrives. If partitions have stopped, restart their platform: they continue from here.
    """
    if (to_time is None) == (to_offset is None):
        raise Misuse("say either --to-time or --to-offset")
    if topic not in WORKED:
        raise Misuse(f"--topic {topic}: no positions are kept for it, but for {' and '.join(WORKED)}")
    if to_offset is not None and not partition:
        raise Misuse("--to-offset needs --partition: each partition counts its own offsets")
    moment = None if to_time is None else milliseconds(to_time, "--to-time")

    async def work(beside: Beside) -> list[dict[str, Any]]:
        async with beside.log() as log:
            wanted = chosen(await backlogs(log, beside, topic), partition)
            reach = await log.offsets_at(topic, SystemClock().now_ms() - LEDGER_REACH_MS)
            sought = dict.fromkeys(reach, to_offset or 0) if moment is None else await log.offsets_at(topic, moment)
        moves = [checked(one, sought[one.partition], reach, moment) for one in wanted]
        for one, target in moves:
            if one.stored is None:
                continue
            await _keeper(beside, topic).set_position(topic, one.partition, Position(one.topic_id, target))
        return [told_of(one, target) for one, target in moves]

    told = in_deployment(data, work)
    if as_json:
        show_json(told)
    else:
        for one in told:
            typer.echo(f"{one['topic']}/{one['partition']}: {one['what']}")


def milliseconds(text: str, option: str) -> int:
    """Without an offset the time is meant in UTC. Raises `Misuse`."""
    try:
        return millis(datetime.fromisoformat(text))
    except ValueError:
        raise Misuse(f"{option}: a time such as 2026-11-22T09:30+08:00 is expected") from None
