"""What every service of one process shares; made once by a composition root, handed to each as one value."""

from typing import NamedTuple

from services.clock import Clock
from services.log import EventLog
from services.metrics import Metrics
from services.notifications import Notifications
from services.sql.database import Database


class Plumbing(NamedTuple):
    """`screens`: where live screens hear of changes."""

    log: EventLog
    database: Database
    screens: Notifications
    clock: Clock
    metrics: Metrics
