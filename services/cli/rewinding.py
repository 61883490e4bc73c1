"""Going back in the log: what a move may not do, and what is said of one that was made."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.instants import DAY_MS
from schemas.topics import CHANNEL_EVENTS
from services.cli.output import at, counted
from services.cli.refusals import Refusal
from services.clock import SystemClock
from services.log import Position
from services.profile.domain.ledger import DAYS_KEPT

LEDGER_REACH_MS = (DAYS_KEPT - 1) * DAY_MS
GONE = "no longer kept"


class Backlog(NamedTuple):
    """How far one partition was worked, and what the log holds of it."""

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
            return GONE
        return "ok" if self.stored.next <= self.end else "beyond the end"

    @property
    def lag(self) -> int | None:
        """None where it cannot be said."""
        reached = self.first if self.stored is None else self.stored.next
        return self.end - reached if self.state == "ok" else None


def chosen(known: list[Backlog], wanted: list[int] | None) -> list[Backlog]:
    missing = sorted(set(wanted or ()) - {one.partition for one in known})
    if missing:
        raise Refusal(f"{known[0].topic} has partitions 0 to {len(known) - 1}, none numbered {missing[0]}")
    return [one for one in known if not wanted or one.partition in wanted]


def checked(one: Backlog, target: int, reach: Mapping[int, int], moment: int | None) -> tuple[Backlog, int]:
    """Raises `Refusal` for a move that would count events twice, or leave some out."""
    where = f"{one.topic}/{one.partition}"
    if not one.first <= target <= one.end:
        raise Refusal(f"{where}: {target} is not in the log, which holds {one.first} to {one.end}")
    if one.stored is None:
        # all of it is still to come: every place but the first would leave some out
        if moment is None and target > one.first:
            left_out = counted(target - one.first, "record", "records")
            raise Refusal(f"{where}: it was never processed, and {left_out} before {target} would never be processed")
        return one, one.first
    if one.state == GONE:
        return one, _first_kept(one, target, moment)
    if target < reach[one.partition] and one.topic == CHANNEL_EVENTS.name:
        oldest = at(SystemClock().now_ms() - LEDGER_REACH_MS)
        raise Refusal(
            f"{where}: {at(moment) if moment is not None else f'offset {target}'} is further back than the ledger "
            f"reaches: events before {oldest} (offset {reach[one.partition]}) might count twice"
        )
    if one.state == "ok" and target > one.stored.next:
        # what lies at a time is a bound, what an operator names is a number: only the second can be a mistake
        if moment is None:
            ahead = counted(target - one.stored.next, "event", "events")
            raise Refusal(f"{where}: {target} lies {ahead} ahead of {one.stored.next}: never to be worked")
        return one, one.stored.next
    return one, target


def _first_kept(one: Backlog, target: int, moment: int | None) -> int:
    """All that the log still holds was not worked since, however long ago it came: no ledger is dropped meanwhile."""
    if moment is None and target > one.first:
        left_out = counted(target - one.first, "record", "records")
        raise Refusal(
            f"{one.topic}/{one.partition}: the log holds {one.first} to {one.end}, and {left_out} before {target} "
            f"would never be processed"
        )
    return one.first


def told_of(one: Backlog, target: int) -> dict[str, Any]:
    before = one.stored.next if one.stored else None
    if one.stored is None:
        what = f"never processed so far: processing will begin at {target}"
    elif (before, one.stored.topic_id) == (target, one.topic_id):
        what = f"stays at {target}, that is far enough back"
    else:
        what = f"moved from {before} ({one.state}) to {target}: {_to_come(one, target, one.stored.next)}"
    return {"topic": one.topic, "partition": one.partition, "from": before, "to": target, "what": what}


def _to_come(one: Backlog, target: int, before: int) -> str:
    if one.state != GONE:
        return counted(one.end - target, "event is worked again", "events are worked again")
    waiting = counted(one.end - target, "event waits", "events wait")
    lost = counted(target - before, "record was", "records were")
    return f"{waiting}; {lost} dropped by the log before any worker came to it"
