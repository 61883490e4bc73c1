"""The table of metrics, and what a scrape sees."""

import ast
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import get_args

import msgspec
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import TOPICS
from services import metrics as metrics_module
from services.alerts.domain.rules import KINDS
from services.alerts.domain.unjudged import Lack
from services.failures import FailureKind
from services.metrics import (
    ACCEPTED_TO_VISIBLE,
    EVENTS_REJECTED,
    EVENTS_REPEATED,
    LAG,
    PREFIX,
    TABLE,
    HistogramMetric,
    Metrics,
)
from tests.house.source import modules

DEPLOY = Path(__file__).parents[2] / "deploy"


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    value: float | None = metrics.registry.get_sample_value(name, labels)
    return value


def test_a_scrape_shows_what_was_counted() -> None:
    metrics = Metrics()
    metrics.add(EVENTS_REJECTED, 2, "atm", "unknown_type")
    metrics.add(EVENTS_REPEATED, 1)
    metrics.set(LAG, 7, "channel-events", "3")
    metrics.observe(ACCEPTED_TO_VISIBLE, 0.02)
    assert sample(metrics, "counterpoint_events_rejected_total", source="atm", reason="unknown_type") == 2
    assert sample(metrics, "counterpoint_events_repeated_total") == 1
    assert sample(metrics, "counterpoint_lag", topic="channel-events", partition="3") == 7
    assert sample(metrics, "counterpoint_accepted_to_visible_seconds_count") == 1
    assert b"counterpoint_lag" in metrics.render()


def test_a_partition_that_moved_away_is_no_longer_told_of() -> None:
    metrics = Metrics()
    metrics.set(LAG, 7, "channel-events", "3")
    metrics.forget(LAG, "channel-events", "3")
    assert sample(metrics, "counterpoint_lag", topic="channel-events", partition="3") is None


def test_two_processes_in_one_interpreter_share_nothing() -> None:
    one, two = Metrics(), Metrics()
    one.add(EVENTS_REPEATED, 1)
    assert sample(two, "counterpoint_events_repeated_total") == 0


def test_labels_are_those_declared() -> None:
    with pytest.raises(ValueError, match="label"):
        Metrics().add(EVENTS_REJECTED, 1, "atm")


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: str(metric.name))
def test_every_metric_says_its_unit_and_help(metric: HistogramMetric) -> None:
    assert metric.unit
    assert metric.help
    assert metric.unit != "seconds" or "seconds" in metric.name


def test_every_metric_is_told_by_somebody() -> None:
    """A panel over one that nobody sets shows a calm that is not there."""
    told = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for module in modules("services")
        if module.name != metrics_module.__name__
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.Name)
    }
    declared = {name: value for name, value in vars(metrics_module).items() if value in TABLE}
    assert len(declared) == len(TABLE)
    assert declared.keys() <= told


def test_what_is_rendered_can_be_parsed() -> None:
    families = {family.name for family in text_string_to_metric_families(Metrics().render().decode())}
    assert {PREFIX + metric.name for metric in TABLE} <= families


def dashboard() -> list[str]:
    panels = msgspec.json.decode((DEPLOY / "grafana/dashboard.json").read_bytes())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def rules() -> list[str]:
    groups = yaml.safe_load((DEPLOY / "prometheus_rules.yml").read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def page() -> list[str]:
    told = (DEPLOY.parent / "docs" / "operating.md").read_text().partition("## Metrics")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in told.splitlines() if line.startswith("| `")]
    return [PREFIX + name for cell in cells[1:] for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("expressions", [dashboard, rules, page], ids=lambda one: str(one.__name__))
def test_who_watches_asks_for_declared_metrics_and_labels_only(expressions: Callable[[], list[str]]) -> None:
    suffixes = ("", "_total", "_bucket", "_count", "_sum")
    declared = {PREFIX + metric.name + suffix: metric.labels for metric in TABLE for suffix in suffixes}
    asked = [one for one in expressions() if PREFIX in one]
    assert asked
    for expression in asked:
        metrics = re.findall(rf"{PREFIX}\w+", expression)
        assert set(metrics) <= declared.keys(), expression
        labels = {label for metric in metrics for label in declared[metric]} | {"instance", "job", "le"}
        by = {label for some in re.findall(r"by \(([^)]*)\)", expression) for label in some.replace(" ", "").split(",")}
        chosen = {label for some in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)=", some)}
        assert by | chosen <= labels, expression


@pytest.mark.parametrize("expression", [one for one in rules() if "increase(" in one])
def test_a_rule_on_an_increase_hears_of_what_happens_for_the_first_time(expression: str) -> None:
    """To Prometheus the first value of a series is no increase: it must have been there at 0."""
    shown = [
        sample
        for family in text_string_to_metric_families(Metrics().render().decode())
        for sample in family.samples
        if sample.value == 0
    ]
    for name, chosen in re.findall(r"increase\((\w+)(?:\{([^}]*)\})?\[", expression):
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', chosen))
        assert [one for one in shown if one.name == name and wanted.items() <= one.labels.items()], expression


def test_every_way_in_which_a_rule_may_stay_unjudged_is_there_before_the_first_one() -> None:
    metrics = Metrics()
    for kind, lack in product(KINDS, get_args(Lack)):
        assert sample(metrics, "counterpoint_rules_unknown_total", kind=kind, why=lack) == 0


def test_every_kind_of_failure_and_dead_letter_is_there_before_the_first_one() -> None:
    metrics = Metrics()
    for topic in TOPICS:
        for kind in get_args(FailureKind):
            assert sample(metrics, "counterpoint_batches_failed_total", topic=topic.name, kind=kind) == 0
    for reason in ("conflict", "bug", "not_avro", "unknown_schema", "wrong_record", "corrupt"):
        assert sample(metrics, "counterpoint_dead_letters_total", stage="update", reason=reason) == 0
    assert sample(metrics, "counterpoint_dead_letters_total", stage="publish", reason="message_too_large") == 0
