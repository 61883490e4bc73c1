"""The inbox over HTTP: what a manager is asked to act on, and the steps that he or she takes."""

from services.alerts.web.app import alerts_app
from services.alerts.web.desk import Desk, Stated

__all__ = ["Desk", "Stated", "alerts_app"]
