"""Checks the filter of a timeline: one that nothing can match would look like a customer without a past."""

from collections.abc import Sequence

from schemas.catalogue import CHANNELS
from services.expected import meant
from services.failures import Rejected
from services.profile.ports.reading import TimelineFilter
from services.profile.ports.records import StoredView
from services.profile.read import Read


async def timeline_filter(
    read: Read, view: StoredView, types: Sequence[str], channels: Sequence[str], since: int | None, until: int | None
) -> TimelineFilter:
    """Raises `Rejected` naming the parameter; what was asked is not repeated."""
    check_bounds(channels, since, until)
    for one in types:
        # a deployment may accept types beyond the catalogue: then whatever has happened is a type
        if one not in read.catalogue and not (await read.timeline(view, None, TimelineFilter((one,)), 1)).events:
            raise Rejected("unknown_type", _possible(one, list(read.catalogue)), "type")
    return TimelineFilter(tuple(types), tuple(channels), since, until)


def check_bounds(channels: Sequence[str], since: int | None, until: int | None) -> None:
    """What can be judged whoever is asked about. Raises `Rejected`."""
    if not set(channels) <= set(CHANNELS):
        raise Rejected("unknown_channel", f"a channel is one of {', '.join(CHANNELS)}", "channel")
    if since is not None and until is not None and until <= since:
        raise Rejected("empty_period", "a time after `since` is expected", "until")


def _possible(asked: str, known: Sequence[str]) -> str:
    near = meant(asked, known, most=3)
    return f"the catalogue has no such event type (GET /v1/event-types){f': {near}' if near else ''}"
