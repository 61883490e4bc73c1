"""The example of an event type is what the developer of a channel copies: it must be an event that is accepted."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from schemas.catalogue import CatalogueError, EventType
from schemas.tokens import TokenKey
from services.failures import Rejected
from services.ingest.domain.admission import admit
from services.ingest.domain.rules import Rules, plans_of
from services.ingest.domain.sources import EVERY, Grant, Source, Terms

_ANY_KEY = bytes(32)
"""Nothing that is made with it is kept."""
_LATER_MS = 7_258_118_400_000  # 2200: the time of an example may lie ahead


def refuse_bad_examples(catalogue: Mapping[str, EventType]) -> None:
    """Raises `CatalogueError` that names file, type and field."""
    rules = Rules(plans=plans_of(catalogue), secret=_ANY_KEY, key=TokenKey(_ANY_KEY))
    source = Source(id="example", of_record=(EVERY,))
    terms = Terms(Grant(key_id="example", source=source.id, channels=(EVERY,)), source, ZoneInfo(source.time_zone))
    bodies = [msgspec.json.encode(one.example) for one in catalogue.values()]
    for one, found in zip(catalogue.values(), admit(bodies, terms, rules, _LATER_MS), strict=True):
        if isinstance(found, Rejected):
            mistake = f"{found.field}: {found.message}" if found.field else found.message
            raise CatalogueError(f"{one.group}.yaml: {one.name}: the example is no event: {mistake}")
