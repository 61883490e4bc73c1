"""What may be wrong with those who send: silent, without a key, or with a clock that is ahead."""

from collections.abc import Sequence

from services.cli.doctor.findings import Finding, Patient, ok, warning
from services.cli.doctor.silence import silences_of
from services.cli.output import at

AHEAD_MS = 60_000
"""More than clocks differ by."""


async def sources(patient: Patient) -> Sequence[Finding]:
    now = await patient.beside.now_ms()
    return [*await _silent(patient, now), *await _ahead(patient, now)]


async def _ahead(patient: Patient, now: int) -> Sequence[Finding]:
    """What a source vouched for once is never taken back: until then it looks complete, whatever is still to come."""
    until: dict[str, int] = {}
    for one in await patient.beside.store.sources_seen():
        if one.enabled and one.heartbeat_at > now + AHEAD_MS:
            until[one.source] = max(until.get(one.source, 0), one.heartbeat_at)
    why = "its clock is or was ahead: set it right; until then what it has not sent passes for not having happened"
    return [
        warning("sources", f"{source} says that it is complete up to {at(last)}, which is not yet: {why}")
        for source, last in sorted(until.items())
    ]


async def _silent(patient: Patient, now: int) -> Sequence[Finding]:
    known = await silences_of(patient.beside, now)
    if not known:
        return [warning("sources", "none are registered: `counterpoint sources set` does")]
    silent = [one.source for one in known if one.is_too_long]
    if silent:
        return [warning("sources", f"silent beyond their rhythm: {', '.join(silent)}; ask those who run them")]
    without = [one.source for one in known if one.silent_ms is None]
    if without:
        return [warning("sources", f"without a key: {', '.join(without)}; `counterpoint keys create` makes one")]
    return [ok("sources", f"none of {len(known)} is silent beyond its rhythm")]
