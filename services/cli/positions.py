"""`positions`: how far the log was worked, and going back after a fail-over or when a topic was made anew."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from schemas.topics import ALERTS, CHANNEL_EVENTS, DEAD_LETTERS, PROFILE_CHANGES
from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.output import at, show_json, show_rows
from services.cli.refusals import Refusal
from services.clock import SystemClock
from services.log import EventLog, Position
from services.profile.domain.ledger import DAY_MS, DAYS_KEPT

if TYPE_CHECKING:
    from services.alerts.adapters.sql import SqlAlertStore
    from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
    from services.profile.adapters.sql import SqlProfileStore

app = typer.Typer(no_args_is_help=True, help="How far the log was worked; go back after a fail-over.")
WORKED = (CHANNEL_EVENTS.name, DEAD_LETTERS.name, PROFILE_CHANGES.name, ALERTS.name)
LEDGER_REACH_MS = (DAYS_KEPT - 1) * DAY_MS
COLUMNS = {"topic": "Topic", "partition": "Partition", "next": "Next", "first": "Log from", "end": "Log to",
           "lag": "Waiting", "state": "State"}  # fmt: skip


class Place(NamedTuple):
    """One partition: where its work stands, and what the log holds of it."""

    topic: str
    topic_id: str
    partition: int
    stored: Position | None
    first: int
    end: int

    @property
    def state(self) -> str:
        """In words; "ok" when a worker can go on from here."""
        if self.stored is None:
            return "ok"
        if self.stored.topic_id != self.topic_id:
            return "of another topic: this one was made anew"
        if self.stored.next < self.first:
            return "no longer kept"
        return "ok" if self.stored.next <= self.end else "beyond the end"

    @property
    def lag(self) -> int | None:
        """None where it cannot be said."""
        reached = self.first if self.stored is None else self.stored.next
        return self.end - reached if self.state == "ok" else None


def _keeper(beside: Beside, topic: str) -> "SqlProfileStore | SqlAlertStore | SqlDeliveryStore":
    """Each service keeps the positions of what it works beside its own tables."""
    from services.alerts.adapters.sql import SqlAlertStore
    from services.alerts.adapters.sql_deliveries import SqlDeliveryStore

    if topic == PROFILE_CHANGES.name:
        return SqlAlertStore(beside.database)
    return SqlDeliveryStore(beside.database) if topic == ALERTS.name else beside.store


async def places(log: EventLog, beside: Beside, topic: str) -> list[Place]:
    """Raises `UnknownTopic`, `Unavailable`."""
    partitions, topic_id = sorted(await log.ends(topic)), await log.topic_id(topic)
    stored = await _keeper(beside, topic).positions(topic, partitions)
    ends = await log.ends(topic)  # after the positions: a worker that goes on meanwhile would seem beyond the end
    return [Place(topic, topic_id, one, stored.get(one), *ends[one]) for one in partitions]


@app.command()
def show(data: Data = None, as_json: Json = False) -> None:
    """Where the work of each partition stands, and what waits behind it."""

    async def work(beside: Beside) -> list[dict[str, Any]]:
        async with beside.log() as log:
            return [row_of(place) for topic in WORKED for place in await places(log, beside, topic)]

    show_rows(in_deployment(data, work), COLUMNS, as_json=as_json, nothing="the log has no partitions")


def row_of(place: Place) -> dict[str, Any]:
    following = place.stored.next if place.stored else None
    return {
        "topic": place.topic, "partition": place.partition, "next": following, "first": place.first, "end": place.end,
        "lag": place.lag, "state": place.state,
    }  # fmt: skip


@app.command()
def rewind(
    to_time: Annotated[
        str | None, typer.Option(help="To what the log took from then on: 2026-11-22T09:30+08:00.")
    ] = None,
    to_offset: Annotated[int | None, typer.Option(min=0, help="To this offset; needs --partition.")] = None,
    topic: Annotated[str, typer.Option(help=f"{' or '.join(WORKED)}.")] = CHANNEL_EVENTS.name,
    partition: Annotated[list[int] | None, typer.Option(help="Only this one; again for more.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although a worker is running: it is fenced and seeks anew.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Work a part of the log again: what counted already is recognised and counts once.

    Not further back than the ledger of what was counted reaches, 7 days. Restart a platform whose partitions have
    stopped: they go on from here.
    """
    if (to_time is None) == (to_offset is None):
        raise Refusal("say either --to-time or --to-offset")
    if topic not in WORKED:
        raise Refusal(f"--topic {topic}: no positions are kept for it, but for {' and '.join(WORKED)}")
    if to_offset is not None and not partition:
        raise Refusal("--to-offset needs --partition: each partition counts its own offsets")
    moment = None if to_time is None else milliseconds(to_time)

    async def work(beside: Beside) -> list[dict[str, Any]]:
        await _refuse_while_working(beside, force)
        async with beside.log() as log:
            chosen = _chosen(await places(log, beside, topic), partition)
            reach = await log.offsets_at(topic, SystemClock().now_ms() - LEDGER_REACH_MS)
            sought = dict.fromkeys(reach, to_offset or 0) if moment is None else await log.offsets_at(topic, moment)
        moves = [_checked(one, sought[one.partition], reach, moment) for one in chosen]
        for place, target in moves:
            await _keeper(beside, topic).set_position(topic, place.partition, Position(place.topic_id, target))
        return [_told(place, target) for place, target in moves]

    told = in_deployment(data, work)
    if as_json:
        show_json(told)
    else:
        for one in told:
            typer.echo(f"{one['topic']}/{one['partition']}: {one['what']}")


def milliseconds(text: str) -> int:
    """Without an offset the time is meant in UTC. Raises `Refusal`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{text}: a time such as 2026-11-22T09:30+08:00 is expected") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


async def _refuse_while_working(beside: Beside, force: bool) -> None:
    workers = await beside.store.leaseholders(SystemClock().now_ms())
    if workers and not force:
        raise Refusal(
            f"workers are running ({len(workers)}): stop the platform first, or say --force; work in hand is then "
            f"rolled back and done again from the new position"
        )


def _chosen(known: list[Place], wanted: list[int] | None) -> list[Place]:
    missing = sorted(set(wanted or ()) - {place.partition for place in known})
    if missing:
        raise Refusal(f"{known[0].topic} has partitions 0 to {len(known) - 1}, none numbered {missing[0]}")
    return [place for place in known if not wanted or place.partition in wanted]


def _checked(place: Place, target: int, reach: Mapping[int, int], moment: int | None) -> tuple[Place, int]:
    """Raises `Refusal` for a move that would count events twice, or leave some out."""
    where = f"{place.topic}/{place.partition}"
    if not place.first <= target <= place.end:
        raise Refusal(f"{where}: {target} is not in the log, which holds {place.first} to {place.end}")
    beyond = target < reach[place.partition] and place.topic == CHANNEL_EVENTS.name
    if beyond and place.stored is not None:
        oldest = at(SystemClock().now_ms() - LEDGER_REACH_MS)
        raise Refusal(
            f"{where}: {at(moment) if moment is not None else f'offset {target}'} is further back than the ledger "
            f"reaches: events before {oldest} (offset {reach[place.partition]}) might count twice"
        )
    if place.stored is not None and place.state == "ok" and target > place.stored.next:
        # what lies at a time is a bound, what an operator names is a number: only the second can be a mistake
        if moment is None:
            raise Refusal(
                f"{where}: {target} lies {target - place.stored.next} events ahead of {place.stored.next}: they would "
                f"never be worked"
            )
        return place, place.stored.next
    return place, target


def _told(place: Place, target: int) -> dict[str, Any]:
    before = place.stored.next if place.stored else None
    if place.stored is not None and (before, place.stored.topic_id) == (target, place.topic_id):
        what = f"stays at {target}, that is far enough back"
    else:
        since = "the beginning" if before is None else f"{before} ({place.state})"
        what = f"moved from {since} to {target}: {place.end - target} events are worked again"
    return {"topic": place.topic, "partition": place.partition, "from": before, "to": target, "what": what}
