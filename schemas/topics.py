"""The topic table: the one place where topics, their keys and their sizes are declared."""

from typing import NamedTuple


class Topic(NamedTuple):
    """`retention_days`: for how long the log keeps a record at least."""

    name: str
    partitions: int
    key: str = ""
    retention_days: int = 14


CHANNEL_EVENTS = Topic("channel-events", 8, "subject of the event", 14)
PROFILE_CHANGES = Topic("profile-changes", 8, "customer id", 14)
ALERTS = Topic("alerts", 4, "customer id", 30)
DEAD_LETTERS = Topic("dead-letters", 1, "source", 90)
TOPICS = (CHANNEL_EVENTS, PROFILE_CHANGES, ALERTS, DEAD_LETTERS)
