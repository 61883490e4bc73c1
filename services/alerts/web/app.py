"""Puts the routes together."""

from collections.abc import Callable
from typing import Any

from litestar import Litestar

from services.alerts.domain.lifecycle import IllegalStep
from services.alerts.web.backend import Backend
from services.alerts.web.events import list_events
from services.alerts.web.inbox import list_alerts, read_alert
from services.alerts.web.language import language
from services.alerts.web.live import follow_alerts
from services.alerts.web.quality import list_notices, show_history, show_precision
from services.alerts.web.rules import disable_rule, enable_rule, explain_rules, list_rules
from services.alerts.web.steps import (
    claim_alert,
    give_outcome,
    mark_false_alarm,
    note_contact,
    plan_contact,
    reassign_alert,
    refused,
    snooze_alert,
    worker,
)
from services.alerts.web.team import show_team
from services.web.problems import handlers
from services.web.staff import staff_app

_STATUS_OF = {"cannot_be_shown": 503, "unknown_alert": 404, "not_yours": 403}
_ROUTES = [
    list_alerts, follow_alerts, read_alert, list_events, claim_alert, snooze_alert, plan_contact, note_contact,
    give_outcome, reassign_alert, mark_false_alarm, list_rules, enable_rule, disable_rule, explain_rules,
    show_precision, show_history, list_notices, show_team,
]  # fmt: skip


def alerts_app(backend: Backend) -> Litestar:
    """Everything under `/v1/` about alerts and rules."""
    dependencies: dict[str, Callable[..., Any]] = {"backend": lambda: backend, "language": language, "worker": worker}
    return staff_app(_ROUTES, backend.access, dependencies, {**handlers(_STATUS_OF), IllegalStep: refused})
