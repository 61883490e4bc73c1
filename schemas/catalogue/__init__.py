"""The event-type catalogue: what can happen at a bank, as data. It decides what an event is about and what it links.

Nothing is read at import: a composition root calls `load_catalogue()` once and passes the result on.
"""

from schemas.catalogue.loading import CHANNELS, FLOWS, ROLES, CatalogueError, load_catalogue
from schemas.catalogue.types import Assertion, Attribute, AttributeType, EventType

__all__ = [
    "CHANNELS",
    "FLOWS",
    "ROLES",
    "Assertion",
    "Attribute",
    "AttributeType",
    "CatalogueError",
    "EventType",
    "load_catalogue",
]
