"""What one subject contributes to a customer in one role: what describes it, and its flows within the time of the
link."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from schemas.instants import DAY_MS
from services.profile.domain.customers.erased import without_erased
from services.profile.domain.identity.links import COUNTED_ROLES, END, Membership, kind_of
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.states.combine import join_all, join_things
from services.profile.domain.states.months import MonthPart
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.segments import segments_between
from services.profile.domain.states.state import MONTHS_KEPT, Entry, Head, Thing


class Flows(msgspec.Struct, frozen=True, gc=False):
    """The segments of a subject that lie within the time of a link. `places`: their numbers among all segments of the
    subject; `heads` and `months` hold the state of each, in that order."""

    places: Sequence[int]
    heads: Sequence[Head]
    months: Mapping[int, Sequence[MonthPart]]


class Part(msgspec.Struct, gc=False):
    """One subject in one role. `flows`: its counters and sums within the time of the link; `before`: those of the time
    before it, where there are any. `things`: what describes the subject (balance, status), from its whole past while
    the link holds, else up to the link's end. `counts`: the role is one whose money and behaviour count. `current`: the
    link has not ended. `erased_at`: what the subject told of persons until then (ms) was erased, 0 for never."""

    subject: str
    kind: str
    role: str
    from_at: int
    until_at: int
    counts: bool
    current: bool
    flows: Flows
    things: dict[str, Thing]
    before: Flows | None = None
    erased_at: int = 0

    @property
    def opening(self) -> Entry | None:
        """An account's balance when the link began: what is joined with what lies there has not risen."""
        if self.before is None:
            return None
        things = [head.things.get(self.subject, {}) for head in self.before.heads]
        told = [thing["balance"] for thing in things if "balance" in thing]
        return max(told, key=lambda entry: entry.stamp, default=None)

    @property
    def is_untold(self) -> bool:
        """Money may lie on this account, and nobody told how much. One that was opened and never used is empty."""
        thing = self.things.get(self.subject, {})
        if "balance" in thing or is_closed(thing):
            return False
        if "opened_at" not in thing or is_told_late(thing):
            return True
        return self.moved_money or self._forgets(thing["opened_at"].value)

    def _forgets(self, at: int) -> bool:
        """Whether what moved then may not be kept any more."""
        newest = max([head.newest_at for flows in self.all_flows for head in flows.heads if head.count], default=at)
        return month_of(at) <= month_of(newest) - MONTHS_KEPT

    @property
    def moved_money(self) -> bool:
        return any(
            moves_money(month.totals) for one in self.all_flows for parts in one.months.values() for month in parts
        )

    @property
    def all_flows(self) -> Sequence[Flows]:
        return [self.flows] if self.before is None else [self.flows, self.before]

    @property
    def tells_nothing(self) -> bool:
        """No event lies within the link's time, and nothing describes the subject: a card before it was issued."""
        return not self.things and not any(head.count for head in self.flows.heads)


def moves_money(counted: Iterable[str]) -> bool:
    return any(series.startswith(("inflow:", "outflow:")) for series in counted)


def beginnings(parts: Iterable[Part]) -> dict[str, Part]:
    """Of each subject that counts now: the part with which that began. Parts that follow each other without a gap are
    one; what was before a gap is not: whoever left and came back is linked with what lay there then."""
    begun: dict[str, Part] = {}
    for part in sorted([one for one in parts if one.counts], key=_latest_first):
        known = begun.get(part.subject)
        if part.current if known is None else part.from_at < known.from_at <= part.until_at:
            begun[part.subject] = part
    return begun


def is_closed(thing: Thing) -> bool:
    status = thing.get("status")
    return status is not None and status.value == "closed"


def is_told_late(thing: Thing) -> bool:
    """Whether an account was there before its source told that it was opened: something may have lain on it."""
    day, opened = thing.get("opened_on"), thing.get("opened_at")
    if day is None or opened is None or "closed_at" in thing:
        return False
    told_on: int = opened.value // DAY_MS
    return day_number(date.fromisoformat(day.value)) < told_on - 1  # zones apart


def _latest_first(part: Part) -> int:
    return -part.until_at


def part_of(
    membership: Membership, cuts: Sequence[int], heads: Sequence[Head], months: Mapping[int, Sequence[MonthPart]],
    erased_at: int = 0,
) -> Part:  # fmt: skip
    _, subject, role, from_at, until_at = membership
    places = segments_between(cuts, from_at, until_at)
    flows = _within(places, heads, months)
    known = heads if until_at == END else heads[: bisect_right(cuts, until_at)]
    things = join_all([head.things for head in known if head.things], join_things)
    if erased_at:
        things = {name: without_erased(thing, erased_at) for name, thing in things.items()}
    counts, current = role in COUNTED_ROLES, until_at == END
    has_past = places.start > 0 and any(head.count for head in heads[: places.start])
    before = _within(range(places.start), heads, months) if has_past else None
    return Part(subject, kind_of(subject), role, from_at, until_at, counts, current, flows, things, before, erased_at)


def _within(places: range, heads: Sequence[Head], months: Mapping[int, Sequence[MonthPart]]) -> Flows:
    if len(places) == len(heads):
        return Flows(places, heads, months)
    first, end = places.start, places.stop
    chosen = {number: parts[first:end] for number, parts in months.items()} if places else {}
    return Flows(places, heads[first:end], chosen)
