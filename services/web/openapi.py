"""One OpenAPI document for all that one process serves: of several services on one machine, else of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.web.asgi import App, fixed, json_response

OPENAPI_PATH = "/v1/openapi.json"
_ITSELF = {
    "get": {
        "operationId": "readOpenApi",
        "summary": "This document: what this address serves",
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    }
}


def openapi_route(*documents: Mapping[str, Any]) -> dict[str, App]:
    """Made once: it changes with the release only. Raises as `merged` does."""
    return {OPENAPI_PATH: fixed(json_response(merged([*documents, {"paths": {OPENAPI_PATH: _ITSELF}}])))}


def merged(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first one's head with the paths and components of all. An operation keeps the security of its own document.

    Raises ValueError when two documents describe one path or name two things alike.
    """
    whole: dict[str, Any] = {**documents[0], "paths": {}, "components": {}}
    whole.pop("security", None)
    for document in documents:
        for path, item in document["paths"].items():
            _add(whole["paths"], path, _secured(item, document.get("security")))
        for section, named in document.get("components", {}).items():
            for name, component in named.items():
                _add(whole["components"].setdefault(section, {}), name, component)
    return whole


def _secured(item: Mapping[str, Any], security: Any) -> dict[str, Any]:
    if security is None:
        return dict(item)
    methods = ("get", "put", "post", "delete", "patch")
    return {
        name: {"security": security, **operation} if name in methods else operation for name, operation in item.items()
    }


def _add(into: dict[str, Any], name: str, value: Any) -> None:
    if into.get(name, value) != value:
        raise ValueError(f"{name} is described twice")
    into[name] = value
