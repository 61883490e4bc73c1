"""The inbox over HTTP: what a manager is asked to act on, and the steps that he or she takes."""

from services.alerts.web.app import alerts_app
from services.alerts.web.desk import Desk

__all__ = ["Desk", "alerts_app"]
