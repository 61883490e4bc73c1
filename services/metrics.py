"""Every metric of the platform, declared once with unit and help. Services add to them by these names only."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from schemas.topics import TOPICS
from services.failures import FailureKind

PREFIX = "counterpoint_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class CounterMetric(NamedTuple):
    """Only grows; exposed with the suffix `_total`. `begun`: labels that are there at 0 from the start. To Prometheus
    the first value of a series is no increase, so that an alerting rule would miss what happens for the first time."""

    name: str
    labels: tuple[str, ...]
    unit: str
    help: str
    begun: Sequence[tuple[str, ...]] = ()


class GaugeMetric(NamedTuple):
    name: str
    labels: tuple[str, ...]
    unit: str
    help: str


class HistogramMetric(NamedTuple):
    name: str
    labels: tuple[str, ...]
    unit: str
    help: str
    buckets: tuple[float, ...]


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SIZES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
_REFRESH_KINDS: tuple[FailureKind, ...] = ("contended", "unavailable", "fenced")
_LETTERS = (
    *product(["update"], ["conflict", "bug", "not_avro", "unknown_schema", "wrong_record", "corrupt"]),
    ("publish", "message_too_large"),
)
_UNJUDGED = tuple(product(("retention", "upsell", "guard"), ("missing", "not_covered")))

EVENTS_ACCEPTED = CounterMetric(
    "events_accepted", ("source", "channel"), "events", "Durable in the log, repeats included"
)
EVENTS_REJECTED = CounterMetric("events_rejected", ("source", "reason"), "events", "Refused at the door, by reason")
BACK_PRESSURE = CounterMetric("back_pressure", ("status",), "requests", "Answered 429 or 503 with Retry-After")
EVENTS_APPLIED = CounterMetric("events_applied", (), "events", "Folded into a state, each once")
EVENTS_REPEATED = CounterMetric("events_repeated", (), "events", "Sent again with the same id: counted once")
DEAD_LETTERS = CounterMetric(
    "dead_letters", ("stage", "reason"), "events", "Can never succeed; kept to be looked at", _LETTERS
)
ACCEPTED_TO_VISIBLE = HistogramMetric(
    "accepted_to_visible_seconds", (), "seconds", "From acceptance to the commit that shows it to readers", _SECONDS
)
ACCEPTED_TO_CHANGED = HistogramMetric(
    "accepted_to_changed_seconds", (), "seconds", "From acceptance until the profile change is in the outbox", _SECONDS
)
URGENT_TO_CHANGED = HistogramMetric(
    "urgent_to_changed_seconds", (), "seconds", "The same for events that go ahead of everyday business", _SECONDS
)
LAG = GaugeMetric("lag", ("topic", "partition"), "events", "Behind the end of the partition")
POSITION_MOVED = GaugeMetric(
    "position_moved_at_seconds", ("topic", "partition"), "seconds", "Unix time of the last move"
)
BATCH_SIZE = HistogramMetric("batch_events", ("topic",), "events", "Records of one transaction", _SIZES)
BATCH_DURATION = HistogramMetric("batch_seconds", ("topic",), "seconds", "One transaction, whatever it holds", _SECONDS)
BATCHES_FAILED = CounterMetric(
    "batches_failed", ("topic", "kind"), "batches", f"kind: {', '.join(_KINDS)}",
    tuple(product([topic.name for topic in TOPICS], _KINDS)),
)  # fmt: skip
PARTITIONS_STOPPED = GaugeMetric("partitions_stopped", ("topic",), "partitions", "Stopped loudly; an operator must act")
MARKS_COUNTED_TO = 500
"""Of a shard: more than fit into one transaction. Behind a long queue, counting on took a sixth of the database's
time."""
MARKS_WAITING = GaugeMetric(
    "marks_waiting", (), "marks", f"To be refreshed, counted to {MARKS_COUNTED_TO:,} a shard; not of resting customers"
)
REFRESH_DURATION = HistogramMetric("refresh_seconds", (), "seconds", "One shard's marks, one transaction", _SECONDS)
REFRESHES_FAILED = CounterMetric(
    "refreshes_failed", ("kind",), "tries", f"kind: {', '.join(_REFRESH_KINDS)}", tuple(product(_REFRESH_KINDS))
)
CUSTOMERS_REFRESHED = CounterMetric("customers_refreshed", (), "customers", "Views written")
CUSTOMERS_FAILED = CounterMetric(
    "customers_failed", (), "customers", "Set aside, for their refresh has failed; tried again now and then"
)
OUTBOX_AGE = GaugeMetric("outbox_age_seconds", ("lane",), "seconds", "Age of the oldest row not yet published")
OUTBOX_PUBLISHED = CounterMetric("outbox_published", ("topic",), "messages", "Appended to the log from the outbox")
SOURCE_FRESHNESS = GaugeMetric("source_silent_seconds", ("source",), "seconds", "Since the source was last heard of")
SOURCE_SILENT = GaugeMetric("source_silent", ("source",), "sources", "1 while silent beyond its rhythm")
TIMERS_FIRED = CounterMetric("timers_fired", ("kind",), "timers", "Due times that left a mark")
UPKEEP = CounterMetric(
    "upkeep", ("what",), "rows", "Aged or dropped: events, months, ledgers, letters (replayed, unreplayed), placements"
)
DECLARATIONS_READ = CounterMetric(
    "declarations_read", ("outcome",), "times", "Changed declarations of the profile: taken, or refused for a mistake",
    (("taken",), ("refused",)),
)  # fmt: skip
STATEMENTS_EVALUATED = CounterMetric("statements_evaluated", (), "statements", "Profile changes judged by the rules")
STATEMENTS_SKIPPED = CounterMetric("statements_skipped", (), "statements", "Older than one acted on before")
STATEMENTS_PARKED = CounterMetric("statements_parked", (), "statements", "Left out after failing twice; a bug")
RULES_FIRED = CounterMetric("rules_fired", ("how",), "times", "raised, or suppressed by cooldown or throttle")
RULES_UNKNOWN = CounterMetric(
    "rules_unknown", ("kind", "why"), "times",
    "Not judged: a fact is missing for now, or not_covered by any source; a guard then holds", _UNJUDGED,
)  # fmt: skip
ALERT_STEPS = CounterMetric("alert_steps", ("kind", "action"), "alerts", "Alerts that have changed, by their last step")
CHANGE_TO_ALERT = HistogramMetric(
    "change_to_alert_seconds", (), "seconds", "From the profile's statement to the commit of the alert", _SECONDS
)
DELIVERIES = CounterMetric(
    "deliveries", ("destination", "outcome"), "messages", "outcome: delivered, missed (tried again), dead, held"
)
DELIVERIES_KEPT = GaugeMetric(
    "deliveries_kept", ("destination", "state"), "messages", "waiting, or dead until an operator acts"
)
HTTP_REQUESTS = CounterMetric("http_requests", ("method", "route", "status"), "requests", "Answered")
HTTP_DURATION = HistogramMetric("http_request_seconds", ("method", "route"), "seconds", "Until the answer", _SECONDS)

Metric = CounterMetric | GaugeMetric | HistogramMetric
TABLE: Sequence[Metric] = tuple(
    value for value in dict(globals()).values() if isinstance(value, CounterMetric | GaugeMetric | HistogramMetric)
)


class Metrics:
    """The collectors of one process, on a registry of their own: a plain value, passed to who measures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._counters: dict[CounterMetric, Counter] = {}
        self._gauges: dict[GaugeMetric, Gauge] = {}
        self._histograms: dict[HistogramMetric, Histogram] = {}
        # finding a child among the labels costs more than adding to it
        self._counted: dict[tuple[CounterMetric, tuple[str, ...]], Counter] = {}
        self._observed: dict[tuple[HistogramMetric, tuple[str, ...]], Histogram] = {}
        for metric in TABLE:
            self._declare(metric)
        for counter in self._counters:
            for labels in counter.begun:
                self.add(counter, 0, *labels)

    def _declare(self, metric: Metric) -> None:
        name, text = PREFIX + metric.name, f"{metric.help} ({metric.unit})"
        match metric:
            case CounterMetric():
                self._counters[metric] = Counter(name, text, metric.labels, registry=self.registry)
            case GaugeMetric():
                self._gauges[metric] = Gauge(name, text, metric.labels, registry=self.registry)
            case HistogramMetric():
                histogram = Histogram(name, text, metric.labels, buckets=metric.buckets, registry=self.registry)
                self._histograms[metric] = histogram

    def add(self, metric: CounterMetric, amount: float, *labels: str) -> None:
        """`labels` are values in the declared order."""
        counter = self._counted.get((metric, labels))
        if counter is None:
            counter = self._counters[metric]
            counter = self._counted[metric, labels] = counter.labels(*labels) if metric.labels else counter
        counter.inc(amount)

    def set(self, metric: GaugeMetric, value: float, *labels: str) -> None:
        gauge = self._gauges[metric]
        (gauge.labels(*labels) if metric.labels else gauge).set(value)

    def forget(self, metric: GaugeMetric, *labels: str) -> None:
        """Of a partition that another worker has now, or a source that was removed."""
        self._gauges[metric].remove(*labels)

    def observe(self, metric: HistogramMetric, value: float, *labels: str) -> None:
        histogram = self._observed.get((metric, labels))
        if histogram is None:
            histogram = self._histograms[metric]
            histogram = self._observed[metric, labels] = histogram.labels(*labels) if metric.labels else histogram
        histogram.observe(value)

    def render(self) -> bytes:
        """In the text format named by `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def exposed(self) -> tuple[bytes, str]:
        """The same, and what it is."""
        return self.render(), CONTENT_TYPE
