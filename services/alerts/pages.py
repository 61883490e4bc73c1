"""Every alert that a filter lets through, page by page, however many there are."""

from collections.abc import AsyncIterator

from services.alerts.domain.alert import Alert
from services.alerts.ports import AlertFilter, AlertStore


async def pages(store: AlertStore, where: AlertFilter, at_once: int) -> AsyncIterator[list[Alert]]:
    """Greatest rank first. Whoever changes the alerts of a page meets none of them again unless its rank falls."""
    after: tuple[float, str] | None = None
    while found := await store.find(where, after, at_once):
        after = (found[-1].rank, found[-1].alert_id)
        yield found
