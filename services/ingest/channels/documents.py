"""What a channel's developer reads: the event types, AsyncAPI of the topics, OpenAPI of ingest."""

from collections.abc import Mapping
from typing import Any

from schemas.catalogue import EventType
from schemas.documents.asyncapi import asyncapi_document
from schemas.documents.event_form import event_json_schema, event_types_document
from services.ingest.settings import Limits
from services.release import release
from services.web.asgi import App, fixed, json_response

SCHEMAS = "#/components/schemas/"
_LICENCE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_PROBLEMS = {
    "400": "The body could not be parsed",
    "401": "No key, an unknown or a revoked one",
    "403": "The key does not allow the channel of any event",
    "408": "The body did not arrive in time",
    "413": "The body, the batch or the only event is too large",
    "415": "Another content type or encoding than those named here",
    "422": "No event was acceptable; `rejected` says why",
    "429": "More events a second than the key may send",
    "503": "Nothing was accepted for certain; send the same again",
}
_RETRY = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}


def document_routes(catalogue: Mapping[str, EventType]) -> dict[str, App]:
    """Made once: they change with the release only."""
    return {
        "/v1/event-types": fixed(json_response({"event_types": event_types_document(catalogue)})),
        "/v1/asyncapi.json": fixed(json_response(asyncapi_document(catalogue, version=release()))),
    }


def openapi_document(catalogue: Mapping[str, EventType], limits: Limits) -> dict[str, Any]:
    """OpenAPI 3.1 of ingest alone; whoever serves more merges `paths` and `components`."""
    event = event_json_schema(catalogue, prefix=SCHEMAS)
    parts = event.pop("$defs")
    event.pop("$schema")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Counterpoint",
            "version": release(),
            "license": _LICENCE,
        },
        "paths": {
            "/v1/events": {"post": _post_events(limits)},
            "/v1/event-types": {"get": _get("listEventTypes", "The event-type catalogue")},
            "/v1/asyncapi.json": {"get": _get("readAsyncApi", "AsyncAPI 3.1 of the topics")},
        },
        "components": {
            "schemas": {**parts, "ChannelEvent": event, **_answers()},
            "securitySchemes": {"channelKey": {"type": "http", "scheme": "bearer", "description": "Key of a source"}},
        },
    }


def _post_events(limits: Limits) -> dict[str, Any]:
    one: dict[str, Any] = {"$ref": SCHEMAS + "ChannelEvent"}
    many = {
        "type": "object",
        "properties": {"events": {"type": "array", "items": one, "maxItems": limits.max_batch_events}},
        "required": ["events"],
        "additionalProperties": False,
    }
    return {
        "operationId": "acceptEvents",
        "summary": "Send events of a channel",
        "description": f"At most {limits.max_body_bytes} bytes, packed or unpacked (Content-Encoding gzip), and "
        f"{limits.max_batch_events} events. A 202 means that the accepted are durable; a repeat counts as accepted.",
        "security": [{"channelKey": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"oneOf": [one, many]}},
                "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line"}},
            },
        },
        "responses": {
            "202": {"description": "Durable", "content": _content("application/json", "Accepted")},
            **{status: _problem(status, meaning) for status, meaning in _PROBLEMS.items()},
        },
    }


def _problem(status: str, meaning: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": meaning, "content": _content("application/problem+json", "Problem")}
    return {**answer, "headers": _RETRY} if status in ("429", "503") else answer


def _get(operation: str, summary: str) -> dict[str, Any]:
    answer = {"description": summary, "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"operationId": operation, "summary": summary, "security": [], "responses": {"200": answer}}


def _content(content_type: str, name: str) -> dict[str, Any]:
    return {content_type: {"schema": {"$ref": SCHEMAS + name}}}


def _answers() -> dict[str, Any]:
    text, whole = {"type": "string"}, {"type": "integer", "minimum": 0}
    rejection = {"index": whole, "id": {"type": ["string", "null"]}, "field": text, "reason": text, "message": text}
    rejected = {"type": "array", "items": {"$ref": SCHEMAS + "Rejection"}}
    accepted = {"accepted": whole, "rejected": rejected, "receipt": text}
    problem = {"type": text, "title": text, "status": whole, "detail": text, "rejected": rejected}
    return {
        "Rejection": {"type": "object", "properties": rejection, "required": list(rejection)},
        "Accepted": {"type": "object", "properties": accepted, "required": list(accepted)},
        "Problem": {"type": "object", "properties": problem, "required": ["type", "title", "status", "detail"]},
    }
