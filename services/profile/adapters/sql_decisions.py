"""Decisions in SQL: recorded once, found again by the subjects that they name."""

from collections.abc import Sequence

from services.profile.adapters import rows
from services.profile.ports.records import Decision
from services.sql.session import Session, insert

_KNOWN = "select decision_id from decisions where decision_id = any($1::text[])"
_DECIDE = insert(
    "decisions",
    "decision_id text, kind text, subjects text, actor text, reason text, at bigint, undoes text, body bytea",
    "on conflict do nothing",
)
_DECIDE_ON = insert("decision_subjects", "subject text, decision_id text", "on conflict do nothing")


async def record(session: Session, decisions: Sequence[Decision]) -> list[Decision]:
    """Returns those that were not recorded before."""
    if not decisions:
        return []
    known = {row[0] for row in await session.rows(_KNOWN, [one.decision_id for one in decisions])}
    new = sorted((one for one in decisions if one.decision_id not in known), key=lambda one: one.decision_id)
    await session.bulk(_DECIDE, [rows.decision_row(one) for one in new])
    named = [(subject, one.decision_id) for one in new for subject in sorted(set(one.subjects))]
    await session.bulk(_DECIDE_ON, named)
    return new
