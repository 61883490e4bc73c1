"""Whom a live screen is told of: thousands of managers have theirs open, and each screen that is told looks anew."""

from services.alerts.domain.alert import Alert

INBOX = "alerts"


def inbox_of(owner: str) -> str:
    """What one manager or queue follows."""
    return f"{INBOX}/{owner}"


def told(alert: Alert, *before: str) -> list[tuple[str, bytes]]:
    """Topics and messages: to the screens of the bank, and of those who have the alert or had it `before`. Somebody
    else who had it misses it at the next look of the screen."""
    owners = sorted({alert.owner, alert.escalated_to, *before} - {""})
    return [(topic, alert.alert_id.encode()) for topic in (INBOX, *map(inbox_of, owners))]
