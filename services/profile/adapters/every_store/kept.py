"""Subjects as refresh reads them. Months stay sealed until somebody asks."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from services.profile.adapters.rows import integers
from services.profile.domain.states.months import OtherShape, SealedMonth
from services.profile.domain.states.packing import EMPTY_MONTHS
from services.profile.domain.states.state import Head
from services.profile.ports.refreshing import KeptSubject

_heads = msgspec.msgpack.Decoder(list[Head])
_months = msgspec.msgpack.Decoder(list[SealedMonth])


def kept_subject(row: Sequence[Any], parts: Iterable[tuple[int, bytes]], collectives: Sequence[str]) -> KeptSubject:
    """`row`: subject, version, cuts, heads, erased_at. Raises `OtherShape`."""
    subject, version, cuts, heads, erased_at = row
    try:
        months = {month: _months.decode(body) for month, body in parts if body not in EMPTY_MONTHS}
        told, borders = _heads.decode(heads), integers(cuts) if cuts != "[]" else []
    except msgspec.DecodeError as error:
        raise OtherShape(subject) from error
    return KeptSubject(subject, version, borders, told, months, collectives, erased_at)


def unknown_subject(subject: str, collectives: Sequence[str]) -> KeptSubject:
    """What stands for a member that has no row."""
    return KeptSubject(subject, 0, [], [Head()], {}, collectives)
