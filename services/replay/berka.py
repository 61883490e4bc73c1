"""The PKDD'99 Czech bank as channel events in the HTTP form of `POST /v1/events`, in the order of event time.

The order inside an account's day is `sequence`; every id follows from the files, so a second replay counts as repeats.
"""

from collections.abc import Iterator
from datetime import date
from heapq import merge
from pathlib import Path

from services.replay.berka_bookings import booking
from services.replay.berka_chain import in_chain_order
from services.replay.berka_event import Event
from services.replay.berka_files import read_transactions
from services.replay.berka_registrations import registrations


def read_berka(directory: Path, until: date | None = None) -> Iterator[Event]:
    """All events to the end of the day `until`. Raises FileNotFoundError, ValueError or KeyError for other files."""
    registered = sorted(registrations(directory), key=lambda event: str(event["occurred_at"]))
    booked = (booking(ordered) for ordered in in_chain_order(read_transactions(directory)))
    for event in merge(registered, booked, key=lambda event: str(event["occurred_at"])):
        if until is None or event["occurred_at"][:10] <= until.isoformat():
            yield event


def count_berka(directory: Path, until: date | None = None) -> int:
    """How many events `read_berka` yields, for a progress bar."""
    return sum(1 for _ in read_berka(directory, until))
