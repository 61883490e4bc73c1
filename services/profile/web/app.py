"""Puts the routes together: one guard before all of them, one form for all that goes wrong."""

from typing import Any, cast

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from services.guard import guard
from services.problems import handlers
from services.profile.web.customers import find_customers, read_customer, read_identity, search_customers
from services.profile.web.decisions import keep_apart, list_reviews, merge_customers, split_customer
from services.profile.web.desk import Desk
from services.profile.web.history import read_facts, read_timeline
from services.profile.web.live import follow_customer
from services.profile.web.operations import list_dead_letters, list_sources
from services.profile.web.preference import preference
from services.web import App

MAX_BODY_BYTES = 64 * 1024
_STATUS_OF = {
    "unknown_customer": 404, "unknown_decision": 404,
    "already_one": 409, "several_customers": 409, "not_one_merge": 409, "not_linked": 409, "undone": 409,
}  # fmt: skip
_HANDLERS = [
    find_customers, search_customers, read_customer, read_identity, read_timeline, read_facts, follow_customer,
    merge_customers, split_customer, list_reviews, keep_apart, list_dead_letters, list_sources,
]  # fmt: skip


def profile_app(desk: Desk, release: str = "0") -> Litestar:
    """Everything under `/v1/` that reads or decides. Needs no start-up: it may be mounted beside other apps."""
    token = SecurityScheme(type="http", scheme="bearer", description="Token of a user")
    return Litestar(
        _HANDLERS,
        guards=[guard(desk.access)],
        dependencies={
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "preference": Provide(preference, sync_to_thread=False),
        },
        exception_handlers=handlers(_STATUS_OF),
        openapi_config=OpenAPIConfig(
            title="Counterpoint", version=release, use_handler_docstrings=True, security=[{"userToken": []}],
            render_plugins=[JsonRenderPlugin()],  # the others load scripts of strangers
            components=Components(security_schemes={"userToken": token}),
        ),
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )  # fmt: skip


def mounted(app: Litestar) -> App:
    """To be served, or to stand beside other routes: the framework's narrower types are those of the same protocol."""
    return cast(App, app)


def openapi_document(app: Litestar) -> dict[str, Any]:
    """OpenAPI 3.1 of these routes alone; whoever serves more merges `paths` and `components`."""
    return app.openapi_schema.to_schema()
