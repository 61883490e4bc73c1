"""Puts the routes together."""

from collections.abc import Callable
from typing import Any

from litestar import Litestar

from services.profile.web.backend import Backend
from services.profile.web.customers import find_customers, read_customer, read_identity, search_customers
from services.profile.web.decisions import erase_customer, keep_apart, list_reviews, merge_customers, split_customer
from services.profile.web.history import read_facts, read_timeline
from services.profile.web.live import follow_customer
from services.profile.web.operations import list_dead_letters, list_sources
from services.profile.web.preference import preference
from services.web.problems import handlers
from services.web.staff import staff_app

_STATUS_OF = {
    "cannot_be_shown": 503, "empty_period": 400, "unknown_customer": 404, "unknown_decision": 404,
    "already_one": 409, "several_customers": 409, "not_one_merge": 409, "not_linked": 409, "undone": 409, "erased": 409,
}  # fmt: skip
_ROUTES = [
    find_customers, search_customers, read_customer, read_identity, read_timeline, read_facts, follow_customer,
    merge_customers, split_customer, erase_customer, list_reviews, keep_apart, list_dead_letters, list_sources,
]  # fmt: skip


def profile_app(backend: Backend) -> Litestar:
    """Everything under `/v1/` that reads customers or decides about them."""
    dependencies: dict[str, Callable[..., Any]] = {"backend": lambda: backend, "preference": preference}
    return staff_app(_ROUTES, backend.access, dependencies, handlers(_STATUS_OF))
