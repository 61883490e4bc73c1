"""The event types of a deployment: the product's, and the bank's own beside them."""

from collections.abc import Mapping
from pathlib import Path

from schemas.catalogue import EventType, load_catalogue
from services.settings import Settings


def load_event_types(settings: Settings) -> Mapping[str, EventType]:
    """Reads files: a composition root calls it once. Raises `CatalogueError`."""
    return load_catalogue(Path(settings.event_types) if settings.event_types else None)
