"""The inbox over HTTP: what a manager is asked to act on, and the steps that he or she takes."""

from services.alerts.web.app import alerts_app
from services.alerts.web.backend import Backend, Stated

__all__ = ["Backend", "Stated", "alerts_app"]
