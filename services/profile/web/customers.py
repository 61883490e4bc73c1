"""Finding customers and reading their views."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema
from litestar.params import FromPath, JSONBody

from schemas.identifiers import KINDS
from services.profile.current import CurrentCustomer
from services.profile.domain.identity.named import NEVER_IN_A_URL
from services.profile.identity import Identity, identity
from services.profile.read import CustomerQuery
from services.profile.web.backend import Backend, Injected
from services.profile.web.documents import Customers, CustomerView, Search, answers
from services.profile.web.preference import Preference, Preferred
from services.web.asgi import JSON, Problem
from services.web.conditional import NOT_MODIFIED, IfNoneMatch, Tagged, matches
from services.web.parameters import OWN_PARAMETERS, tellable

IN_A_URL = tuple(kind for kind in KINDS if kind not in NEVER_IN_A_URL)
_PATH = "/v1/customers/"
_View = Response[bytes]


@dataclass
class ByIdentifier(Operation):
    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        self.parameters = [
            *(self.parameters or []), *(Parameter(name=kind, param_in="query", schema=text) for kind in IN_A_URL)
        ]  # fmt: skip


@get("/v1/customers", operation_class=ByIdentifier, opt={OWN_PARAMETERS: True}, responses=answers(Customers))
async def find_customers(request: Request[Any, Any, Any], backend: Injected, preference: Preferred) -> _View:
    """Customers by identifiers that may stand in a URL. Nobody found: an empty list."""
    given: dict[str, str] = {}
    for kind, value in request.query_params.multi_items():
        if kind in NEVER_IN_A_URL:
            raise Problem(400, f"{kind} does not belong in a URL: use POST {_PATH}search", field=kind)
        if kind not in IN_A_URL:
            raise Problem(400, f"an identifier is one of {', '.join(IN_A_URL)}", field=tellable(kind))
        if kind in given:
            raise Problem(400, f"{kind} may be given only once; send a second request for the other value", field=kind)
        given[kind] = value
    return await _found(backend, backend.read.query(given), preference)


@post("/v1/customers/search", status_code=200, responses=answers(Customers))
async def search_customers(data: JSONBody[Search], backend: Injected, preference: Preferred) -> _View:
    """Customers by any identifiers or a name; those whom most of it names come first."""
    return await _found(backend, backend.read.query(data.named(), data.name), preference)


async def _found(backend: Backend, query: CustomerQuery, preference: Preference) -> _View:
    read = backend.read
    headers = await preference.honoured()
    found = await read.find(query)
    views = [msgspec.Raw(one) for one in await read.shown(found.customers)]
    body = msgspec.json.encode({"customers": views, "more": found.more})
    return Response(body, media_type=JSON, headers=headers)


@get("/v1/customers/{customer_id:str}", operation_class=Tagged, responses=answers(CustomerView) | {304: NOT_MODIFIED})
async def read_customer(
    customer_id: FromPath[str], backend: Injected, preference: Preferred, if_none_match: IfNoneMatch = None
) -> _View:
    """The live view. A former id answers with the customer that it stands for now; several are told as 300."""
    headers = await preference.honoured()
    customer, moved = await current(backend, customer_id)
    tag = f'"{customer.view.customer_id}-{customer.tag}"' if moved else f'"{customer.tag}"'
    headers |= {"ETag": tag, "Cache-Control": "private, no-cache", **moved}
    if matches(if_none_match or "", tag):
        return Response(b"", status_code=304, headers=headers)
    return Response((await backend.read.shown([customer]))[0], media_type=JSON, headers=headers)


@get("/v1/customers/{customer_id:str}/identity", responses=answers(Identity))
async def read_identity(customer_id: FromPath[str], backend: Injected, preference: Preferred) -> _View:
    """Why these subjects are one customer, and who else they touch."""
    headers = await preference.honoured()
    customer, moved = await current(backend, customer_id)
    told = msgspec.json.encode(await identity(backend.read, customer.view, backend.limits))
    return Response(told, media_type=JSON, headers=headers | moved)


async def current(backend: Backend, customer_id: str) -> tuple[CurrentCustomer, dict[str, str]]:
    """The customer that this id stands for, and for a former id where it is now. Raises `Problem` (404, 300)."""
    return the_one(await backend.read.by_id(customer_id), customer_id)


def the_one(found: Sequence[CurrentCustomer], customer_id: str) -> tuple[CurrentCustomer, dict[str, str]]:
    """See `current`."""
    if found[1:]:
        raise Problem(
            300,
            "this former id stands for several customers",
            customers=_places([one.view.customer_id for one in found]),
        )
    if not found:
        raise Problem(404, "no customer has this id")
    now = found[0].view.customer_id
    return found[0], {} if now == customer_id else {"Content-Location": _PATH + now}


def _places(customer_ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"customer_id": one, "href": _PATH + one} for one in customer_ids]
