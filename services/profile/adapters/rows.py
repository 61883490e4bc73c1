"""How the profile's structs lie in rows. States are bytes here: what is in them is the domain's."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from services.profile.domain.identity.links import Link
from services.profile.ports.records import Decision, StoredDeadLetter, StoredSubject, StoredView, TimelineRow

VIEW = ", ".join(StoredView.__struct_fields__)
DEAD_LETTER = ", ".join(StoredDeadLetter.__struct_fields__)
EVENT = ", ".join(TimelineRow._fields)
integers = msgspec.json.Decoder(list[int]).decode
strings = msgspec.json.Decoder(list[str]).decode


def to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def subject_of(row: Sequence[Any], parts: Iterable[tuple[int, bytes]]) -> StoredSubject:
    """`row`: subject, version, fold_version, cuts, roots, heads, erased_at."""
    cuts = integers(row[3]) if row[3] != "[]" else []
    return StoredSubject(row[0], row[1], row[2], cuts, strings(row[4]), row[5], dict(parts), row[6])


LINK = "subject, target, role, first_at, told_at, past, ends, barred_by, source, event_id"


def link_of(row: Sequence[Any]) -> Link:
    return Link(
        subject=row[0], target=row[1], role=row[2], first_at=row[3], told_at=tuple(integers(row[4])),
        past=bool(row[5]), ends=tuple(integers(row[6])), barred_by=row[7], source=row[8], event_id=row[9],
    )  # fmt: skip


def link_row(link: Link) -> tuple[Any, ...]:
    return (
        link.subject, link.target, link.role, link.first_at, to_json(link.told_at), link.past, to_json(link.ends),
        link.barred_by, link.source, link.event_id,
    )  # fmt: skip


DECISION = "decision_id, kind, subjects, actor, reason, at, undoes, body"


def decision_of(row: Sequence[Any]) -> Decision:
    body = msgspec.json.decode(row[7], type=dict[str, Any])
    return Decision(row[0], row[1], tuple(strings(row[2])), row[3], row[4], row[5], row[6], body)


def decision_row(decision: Decision) -> tuple[Any, ...]:
    return (
        decision.decision_id, decision.kind, to_json(decision.subjects), decision.actor, decision.reason, decision.at,
        decision.undoes, msgspec.json.encode(decision.body),
    )  # fmt: skip
