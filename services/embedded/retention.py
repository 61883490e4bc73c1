"""When the embedded log lets go of a day: past the retention of every topic, and behind everybody who reads."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from services.embedded.files import TopicTable, segment_paths
from services.embedded.segments import Segment, Stream
from services.log import TopicPartition, UnknownTopic


class Retention:
    """`reached`: (group, place) → the next offset to be read; all before it has been handled. Until a group reads in
    this process, nobody can say how far one has come, and every day is kept."""

    def __init__(self, directory: Path, topics: TopicTable) -> None:
        self._directory, self._topics = directory, topics
        self.reached: dict[tuple[str, TopicPartition], int] = {}

    def drop(self, today: date) -> None:
        """Oldest days first, whole files: a log has no holes."""
        days = self._topics.longest_retention_days()
        oldest = (today - timedelta(days=days)).isoformat() if days is not None else ""
        for old, following in pairwise(segment_paths(self._directory)):
            if old.stem >= oldest or not self._all_reached(_bases(following)):
                return
            for suffix in ("", "-wal", "-shm"):
                old.with_name(old.name + suffix).unlink(missing_ok=True)

    def _all_reached(self, bases: Mapping[Stream, int]) -> bool:
        reached = dict(self.reached)  # the loop goes on reading meanwhile
        return bool(reached) and all(
            following <= offset
            for (_, place), offset in reached.items()
            if (following := self._base(place, bases)) is not None
        )

    def _base(self, place: TopicPartition, bases: Mapping[Stream, int]) -> int | None:
        try:
            return bases.get((self._topics.get(place.topic).number, place.partition), 0)
        except UnknownTopic:
            return None


def _bases(path: Path) -> Mapping[Stream, int]:
    segment = Segment(path, read_only=True)
    try:
        return segment.bases
    finally:
        segment.close()
