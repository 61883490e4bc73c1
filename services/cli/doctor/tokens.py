"""Tokens of staff that are good for some time only: somebody has to make the next one before."""

from collections.abc import Sequence

from schemas.instants import DAY_MS
from services.cli.doctor.findings import Finding, Patient, ok, warning
from services.clock import SystemClock

SOON_DAYS, TOLD = 14, 3


async def tokens(patient: Patient) -> Sequence[Finding]:
    """Whoever holds a later one, or one without an end, has what he or she needs."""
    now = SystemClock().now_ms()
    standing = [one for one in await patient.beside.users.users() if one.stands(now)]
    until: dict[tuple[str, str], float] = {}
    for one in standing:
        who, ends = (one.name, one.role), float("inf") if one.expires_at is None else one.expires_at
        until[who] = max(until.get(who, 0), ends)
    soon = sorted(name for (name, _), ends in until.items() if ends - now <= SOON_DAYS * DAY_MS)
    if soon:
        more = f" and {len(soon) - TOLD} more" if len(soon) > TOLD else ""
        told = f"those of {', '.join(soon[:TOLD])}{more} expire within {SOON_DAYS} days"
        return [warning("tokens", f"{told}: `counterpoint users create --expires DAYS` makes the next ones")]
    return [ok("tokens", f"none of {len(standing)} expires within {SOON_DAYS} days")]
