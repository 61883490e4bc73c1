"""What happened to a customer: the timeline, page by page, and the facts of now."""

import re
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from schemas.instants import millis
from services.profile.ports.reading import Cursor
from services.profile.timeline_filters import timeline_filter
from services.profile.web.backend import Injected
from services.profile.web.customers import current, the_one
from services.profile.web.documents import Facts, Timeline, answers
from services.profile.web.preference import Preferred
from services.web.asgi import JSON, Problem

_CURSOR = re.compile(r"(\d{1,16})-(-?\d{1,19})-([0-9a-f]{32})", re.ASCII)
_INT64 = range(-(2**63), 2**63)
Several = Annotated[list[str] | None, QueryParameter(description="Repeatable, or separated by commas")]


@get("/v1/customers/{customer_id:str}/timeline", responses=answers(Timeline))
async def read_timeline(
    customer_id: FromPath[str],
    backend: Injected,
    preference: Preferred,
    event_type: Annotated[list[str] | None, QueryParameter(name="type", description="Repeatable, or by commas")] = None,
    channel: Several = None,
    since: Annotated[str | None, QueryParameter(description="RFC 3339, inclusive")] = None,
    until: Annotated[str | None, QueryParameter(description="RFC 3339, exclusive")] = None,
    cursor: Annotated[str | None, QueryParameter(description="`next` of the page before")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
) -> Response[bytes]:
    """Events of the customer's own subjects, newest first."""
    headers = await preference.honoured()
    bounds, before = (_ms(since, "since"), _ms(until, "until")), _cursor(cursor)
    customer, moved = await current(backend, customer_id)
    view = customer.view
    where = await timeline_filter(backend.read, view, _several(event_type), _several(channel), *bounds)
    page = await backend.read.timeline(view, before, where, limit)
    following = _told(page.after) if page.after is not None else None
    body = msgspec.json.encode(
        {"customer_id": view.customer_id, "events": [msgspec.Raw(one) for one in page.events], "next": following}
    )
    return Response(body, media_type=JSON, headers=headers | moved)


@get("/v1/customers/{customer_id:str}/facts", responses=answers(Facts))
async def read_facts(customer_id: FromPath[str], backend: Injected, preference: Preferred) -> Response[bytes]:
    """The facts that rules may ask for, as they stand now, with units and meanings."""
    headers = await preference.honoured()
    customer, moved = the_one(await backend.read.by_id_with_facts(customer_id), customer_id)
    facts = msgspec.json.decode(await backend.read.facts(customer, backend.facts.values()), type=dict[str, msgspec.Raw])
    meanings = {
        name: {"type": one.type, "unit": one.unit, "meaning": one.meaning} for name, one in backend.facts.items()
    }
    return Response(msgspec.json.encode({**facts, "meanings": meanings}), media_type=JSON, headers=headers | moved)


def _several(given: list[str] | None) -> tuple[str, ...]:
    return tuple(part for one in given or () for part in one.split(",") if part)


def _ms(given: str | None, field: str) -> int | None:
    """A time without offset is UTC."""
    if given is None:
        return None
    try:
        # a plus sign that was not escaped has become a space
        return millis(msgspec.convert(given.replace(" ", "+"), datetime))
    except msgspec.ValidationError:
        raise Problem(400, f"{field} must be a time such as 2026-11-22T09:30:00+08:00", field=field) from None


def _cursor(given: str | None) -> Cursor | None:
    if given is None:
        return None
    found = _CURSOR.fullmatch(given)
    if found is None or int(found[2]) not in _INT64:
        raise Problem(400, "cursor must be `next` of the page before", field="cursor")
    return int(found[1]), int(found[2]), bytes.fromhex(found[3])


def _told(cursor: Cursor) -> str:
    occurred_at, sequence, key = cursor
    return f"{occurred_at}-{sequence}-{key.hex()}"
