"""Litestar apps for staff and their screens: one guard before all routes, one form for all that goes wrong, and one
server for several of them."""

import asyncio
import inspect
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, cast

from litestar import Litestar

# its own way of describing structs is no public name, and leaves out what their docstrings say
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Schema, SecurityScheme
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap
from litestar.typing import FieldDefinition

from services.access import Access
from services.release import release
from services.web.asgi import App, Problem, Receive, Scope, Send
from services.web.guard import guard
from services.web.problems import MAX_BODY_BYTES

BODY_WITHIN_S = 30
"""So long a body may take to come: who never ends one would keep its connection for ever."""


class Described(StructSchemaPlugin):
    """A struct's docstring says what its fields mean: whoever reads the document gets it, too; and that a field which
    is not there would be refused, and a pair takes two."""

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        schema = super().to_openapi_schema(field_definition, schema_creator)
        said = vars(field_definition.type_).get("__doc__")
        schema.description = " ".join(inspect.cleandoc(said).split()) if said else None
        if field_definition.type_.__struct_config__.forbid_unknown_fields:
            schema.additional_properties = False
        for one in (schema.properties or {}).values():
            if isinstance(one, Schema) and one.prefix_items:
                one.min_items = one.max_items = len(one.prefix_items)
        return schema


def staff_app(
    routes: Sequence[ControllerRouterHandler], access: Access, dependencies: Mapping[str, Callable[..., Any]],
    handlers: ExceptionHandlersMap,
) -> Litestar:  # fmt: skip
    """Needs no start-up: it may be mounted beside other apps."""
    token = SecurityScheme(type="http", scheme="bearer", description="Token of a user")
    return Litestar(
        list(routes),
        guards=[guard(access)],
        dependencies={name: Provide(made, sync_to_thread=False) for name, made in dependencies.items()},
        exception_handlers=handlers,
        openapi_config=OpenAPIConfig(
            title="Counterpoint", version=release(), use_handler_docstrings=True, security=[{"userToken": []}],
            render_plugins=[JsonRenderPlugin()],  # the others load scripts of strangers
            components=Components(security_schemes={"userToken": token}),
        ),
        plugins=[Described()],
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )  # fmt: skip


def mounted(*apps: Litestar) -> App:
    """To be served, or to stand beside other routes. A request goes to the app that has its path; what none of them
    has, the first one refuses. HEAD is answered as GET, and the server leaves the body away; not where a stream would
    never end. The framework's narrower types are those of the same protocol."""
    served = [(_paths(app), cast(App, app)) for app in apps]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        chosen = next((one for paths, one in served if paths.fullmatch(path)), served[0][1])
        headed = scope.get("method") == "HEAD" and not path.endswith("/live")
        told = send if path.endswith("/live") else _with_headers(send)
        await chosen({**scope, "method": "GET"} if headed else scope, _in_time(receive), told)

    return app


def _with_headers(send: Send) -> Send:
    """The framework knows of GET alone where it says which methods are served. What is read here is of customers: no
    cache on the way keeps it, unless its route says how."""

    async def told(message: MutableMapping[str, Any]) -> None:
        if message["type"] != "http.response.start":
            await send(message)
            return
        headers = [
            (name, value.replace(b"GET", b"GET, HEAD") if name.lower() == b"allow" else value)
            for name, value in message["headers"]
        ]
        if all(name.lower() != b"cache-control" for name, _ in headers):
            headers.append((b"cache-control", b"no-store"))
        await send({**message, "headers": headers})

    return told


def _in_time(receive: Receive) -> Receive:
    """What is received after a whole body, that its client has gone, may take as long as it will."""
    until, whole = asyncio.get_running_loop().time() + BODY_WITHIN_S, False

    async def received() -> Any:
        nonlocal whole
        try:
            async with asyncio.timeout_at(None if whole else until):
                message = await receive()
        except TimeoutError:
            raise Problem(408, "the body did not arrive in time", {"connection": "close"}) from None
        whole = not message.get("more_body", False)
        return message

    return received


def _paths(app: Litestar) -> re.Pattern[str]:
    return re.compile("|".join(re.sub(r"\{[^}]*\}", "[^/]+", route.path) + "/?" for route in app.routes))


def openapi_document(app: Litestar) -> dict[str, Any]:
    """OpenAPI 3.1 of these routes alone; whoever serves more merges `paths` and `components`. The framework takes each
    body for one that must be there."""
    document = app.openapi_schema.to_schema()
    for operation in (one for item in document["paths"].values() for one in item.values()):
        body = operation.get("requestBody", {"content": {}})
        if any({"type": "null"} in told["schema"].get("oneOf", ()) for told in body["content"].values()):
            body["required"] = False
    return document
