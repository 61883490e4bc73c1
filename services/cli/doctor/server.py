"""What may be wrong with PostgreSQL although it answers."""

from collections.abc import Sequence

from services.cli.doctor.findings import Finding, Patient, ok, warning, wrong
from services.clock import SystemClock
from services.sql.session import now_ms, read, reading

SKEW_MS = 2_000
"""Of how much due times may be off."""
LONG_S = 600
_OLDEST = """
select extract(epoch from clock_timestamp() - xact_start), pid, coalesce(application_name, '') from pg_stat_activity
where datname = current_database() and backend_xmin is not null and pid <> pg_backend_pid()
order by xact_start limit 1"""

_READ_ONLY = "select current_setting('transaction_read_only'), pg_is_in_recovery()"


async def clock(patient: Patient) -> Sequence[Finding]:
    if patient.beside.database.dialect != "postgresql":
        return []
    async with reading(patient.beside.database) as session:
        before = SystemClock().now_ms()
        server = await now_ms(session)
        after = SystemClock().now_ms()
    skew = server - min(max(server, before), after)
    if abs(skew) > SKEW_MS:
        told = f"this machine's is {abs(skew) / 1000:.0f} s {'behind' if skew > 0 else 'ahead of'} the database's"
        return [wrong("clock", f"{told}: let all machines follow one time server")]
    return [ok("clock", "agrees with the database's")]


async def writing(patient: Patient) -> Sequence[Finding]:
    """A replica answers whatever is read of it, and nothing moves."""
    if patient.beside.database.dialect != "postgresql":
        return []
    [(read_only, replica)] = await read(patient.beside.database, _READ_ONLY)
    if read_only != "on":
        return []
    told = "this is a replica: name its primary" if replica else "default_transaction_read_only is on for this role"
    return [wrong("writing", f"the database takes no writes: {told}")]


async def transactions(patient: Patient) -> Sequence[Finding]:
    """What is deleted stays in the way for as long as somebody may still look at it, and queues live by deleting."""
    if patient.beside.database.dialect != "postgresql":
        return []
    oldest = next(iter(await read(patient.beside.database, _OLDEST)), None)
    if oldest is not None and oldest[0] is not None and oldest[0] > LONG_S:
        told = f"one ({oldest[2] or 'without a name'}, pid {oldest[1]}) is open for {oldest[0] / 60:.0f} min"
        why = "meanwhile no queue is cleaned, and refreshing slows down if it has written: end it, or ask a replica"
        return [warning("transactions", f"{told}: {why}")]
    return [ok("transactions", "none is open for long")]


OF_THE_DATABASE = (("clock", clock), ("writing", writing), ("transactions", transactions))
