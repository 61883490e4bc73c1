"""One database, one kind of clock: by the present, every absence of a past that was lived by its events' time would be
years old at once; by event time, the present would stand still."""

from services.clock import ClockKind
from services.sql.database import Database
from services.sql.session import read, writing

_KEEP = "update deployment set clock = $1 where clock is null"
_KEPT = "select clock from deployment"
_TO_DO = {
    "event": "it was begun with `counterpoint run --clock event`: go on with that, or take another database",
    "system": "it was begun without `--clock event`: go on without, or take another database",
}


class OtherClock(Exception):  # noqa: N818 - a state of the deployment, told to an operator; not a programming error
    """The message says what to do."""


async def settle_on_clock(database: Database, clock: ClockKind) -> None:
    """Of the first process it becomes the database's, once that has settled on a secret. Raises `OtherClock`,
    `Unavailable`."""
    async with writing(database) as session:
        await session.run(_KEEP, clock)
    kept = await clock_of(database)
    if kept != clock:
        raise OtherClock(f"the database lives by the {kept} clock, this process by the {clock} clock: {_TO_DO[kept]}")


async def clock_of(database: Database) -> ClockKind:
    """The system's while no process has settled. Raises `Unavailable`."""
    kept = await read(database, _KEPT)
    return "event" if kept and kept[0][0] == "event" else "system"
