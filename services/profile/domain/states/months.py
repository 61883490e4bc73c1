"""The months of several subjects joined into one. A field is decoded and joined when it is first read: for most months
that is only the totals, so the cost of a refresh does not grow with the past that is kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from services.profile.domain.states import combine
from services.profile.domain.states.combine import join_all
from services.profile.domain.states.state import Cell, Entry, Head, Month, Series, Thing

_NOTHING = msgspec.Raw()


class OtherShape(Exception):  # noqa: N818 - what was met, in the words of `services.failures`
    """A state in the shape of another release, or damaged: it waits to be folded anew."""


class SealedMonth(msgspec.Struct, gc=False):
    """A `Month` as it is stored; the fields that grow with its days are still encoded."""

    days: msgspec.Raw = _NOTHING
    totals: Series = {}
    closing: msgspec.Raw = _NOTHING
    parties: msgspec.Raw = _NOTHING
    banks: msgspec.Raw = _NOTHING
    names: msgspec.Raw = _NOTHING
    contacts: dict[str, Thing] = {}


MonthPart = Month | SealedMonth


class ReadableState(Protocol):
    """What is read of a state, or of the total of several."""

    @property
    def head(self) -> Head: ...
    @property
    def months(self) -> "Mapping[int, ReadableMonth]": ...


class ReadableMonth(Protocol):
    """What `Month` and `JoinedMonth` have in common; read-only."""

    @property
    def days_by_part(self) -> Sequence[dict[int, Series]]: ...
    @property
    def totals(self) -> Series: ...
    @property
    def closing(self) -> dict[str, dict[int, Entry]]: ...
    @property
    def parties(self) -> dict[str, dict[str, Cell]]: ...
    @property
    def banks(self) -> dict[int, Series]: ...
    @property
    def names(self) -> dict[int, Series]: ...
    @property
    def contacts(self) -> dict[str, Thing]: ...


LastClosing = tuple[int, Any]
"""Day, and [minor units, currency]."""


class _Field(NamedTuple):
    """`join` is None for a field whose parts stay side by side."""

    stored: str
    decode: Callable[[msgspec.Raw], Any]
    join: Callable[[Any, Any], Any] | None


def _field(stored: str, shape: Any, join: Callable[[Any, Any], Any] | None) -> _Field:
    return _Field(stored, msgspec.msgpack.Decoder(shape).decode, join)


_FIELDS: Mapping[str, _Field] = {
    "days_by_part": _field("days", dict[int, Series], None),
    "closing": _field("closing", dict[str, dict[int, Entry]], combine.join_closings),
    "parties": _field("parties", dict[str, dict[str, Cell]], combine.join_parties),
    "banks": _field("banks", dict[int, Series], combine.join_banks),
    "names": _field("names", dict[int, Series], combine.join_banks),
}

_decode_closing = msgspec.msgpack.Decoder(dict[str, dict[int, msgspec.Raw]]).decode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode


def joined(parts: Sequence[MonthPart]) -> ReadableMonth:
    if len(parts) == 1 and parts[0].__class__ is Month:
        return parts[0]
    return JoinedMonth(parts)


class JoinedMonth:
    """See `ReadableMonth`. Neither its parts nor what is read from it may be changed."""

    __slots__ = ("_parts", "banks", "closing", "contacts", "days_by_part", "names", "parties", "totals")
    days_by_part: Sequence[dict[int, Series]]
    totals: Series
    closing: dict[str, dict[int, Entry]]
    parties: dict[str, dict[str, Cell]]
    banks: dict[int, Series]
    names: dict[int, Series]
    contacts: dict[str, Thing]

    def __init__(self, parts: Sequence[MonthPart]) -> None:
        self._parts = parts
        self.totals = join_all([part.totals for part in parts if part.totals], combine.join_cells)
        self.contacts = join_all([part.contacts for part in parts if part.contacts], combine.join_things)

    def __getattr__(self, name: str) -> Any:
        """Called when a field is read for the first time."""
        field = _FIELDS.get(name)
        if field is None:
            raise AttributeError(name)
        told = [value for part in self._parts if (value := getattr(part, field.stored))]
        try:
            found = [field.decode(value) if value.__class__ is msgspec.Raw else value for value in told]
        except msgspec.DecodeError as error:
            raise OtherShape(field.stored) from error
        whole = found if field.join is None else join_all(found, field.join)
        setattr(self, name, whole)
        return whole

    def last_closings(self) -> dict[str, LastClosing]:
        found: dict[str, LastClosing] = {}
        for part in self._parts:
            told = _last_closings(part.closing)
            if not found.keys().isdisjoint(told):
                return _last_closings(self.closing)
            found.update(told)
        return found


def last_closings(month: ReadableMonth) -> dict[str, LastClosing]:
    """Account → its last closing balance in the month; the others are not even decoded."""
    return month.last_closings() if isinstance(month, JoinedMonth) else _last_closings(month.closing)


def _last_closings(closing: msgspec.Raw | dict[str, dict[int, Entry]]) -> dict[str, LastClosing]:
    if not isinstance(closing, msgspec.Raw):
        return {account: (day := max(days), days[day].value) for account, days in closing.items()}
    if not closing:
        return {}
    try:
        sealed = _decode_closing(closing)
        return {account: (day := max(days), _decode_entry(days[day]).value) for account, days in sealed.items()}
    except msgspec.DecodeError as error:
        raise OtherShape("closing") from error
