"""One database, one kind of clock: by the present, every absence of a past that was lived by its events' time would be
years old at once; by event time, the present would stand still."""

from services.clock import ClockKind
from services.sql.database import Database
from services.sql.session import read

_KEPT = "select clock from deployment"
_TO_DO = {
    "event": "it was begun with `counterpoint run --clock event`: go on with that, or take another database",
    "system": "it was begun without `--clock event`: go on without, or take another database",
}


class OtherClock(Exception):  # noqa: N818 - a state of the deployment, told to an operator; not a programming error
    """The message says what to do."""


async def refuse_other_clock(database: Database, clock: ClockKind) -> None:
    """Raises `OtherClock`, `Unavailable`."""
    kept = await clock_of(database)
    if kept != clock:
        raise OtherClock(f"the database lives by the {kept} clock, this process by the {clock} clock: {_TO_DO[kept]}")


async def clock_of(database: Database) -> ClockKind:
    """The system's while no process has settled. Raises `Unavailable`."""
    kept = await read(database, _KEPT)
    return "event" if kept and kept[0][0] == "event" else "system"
