"""The AsyncAPI 3.1 document of the topics: from the topic table, the Avro schemas and the event-type catalogue."""

from collections.abc import Mapping
from typing import Any

from schemas.catalogue import EventType
from schemas.documents.event_form import FORMS, attributes_schema
from schemas.instants import DAY_MS
from schemas.registry import registry
from schemas.topics import ALERTS, CHANNEL_EVENTS, DEAD_LETTERS, PROFILE_CHANGES, TOPICS, Topic

AVRO = "application/vnd.apache.avro;version=1.9.0"
_RECORDS = {
    CHANNEL_EVENTS.name: "channel_event",
    PROFILE_CHANGES.name: "profile_change",
    ALERTS.name: "alert",
    DEAD_LETTERS.name: "dead_letter",
}
_WIRE_FORMS = {
    **FORMS,
    "datetime": {"type": "integer", "format": "int64"},
    "money": {
        "type": "object",
        "properties": {"minor": {"type": "integer", "format": "int64"}, "currency": {"type": "string"}},
        "required": ["minor", "currency"],
    },
}
_FLOWS = (
    ("ingestAppends", "send", CHANNEL_EVENTS, "ingest appends what it accepted"),
    ("ingestGivesUp", "send", DEAD_LETTERS, "ingest appends what it refused"),
    ("profileUpdates", "receive", CHANNEL_EVENTS, "profile folds every event once"),
    ("profilePublishes", "send", PROFILE_CHANGES, "profile states what a customer now is"),
    ("profileGivesUp", "send", DEAD_LETTERS, "profile parks what can never succeed"),
    ("alertsEvaluates", "receive", PROFILE_CHANGES, "alerts judges every change by its rules"),
    ("alertsPublishes", "send", ALERTS, "alerts tells what it raised, moved or withdrew"),
)


def asyncapi_document(
    catalogue: Mapping[str, EventType], *, version: str, kafka_host: str | None = None
) -> dict[str, Any]:
    """`version` is the product's; `kafka_host` (host:port) adds a server."""
    document: dict[str, Any] = {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Counterpoint topics",
            "version": version,
            "description": "Records are in Avro single-object encoding: C3 01, the little-endian CRC-64-AVRO "
            "fingerprint of the writer's schema, then the record.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/vnd.apache.avro",
        "channels": {topic.name: _channel(topic, catalogue) for topic in TOPICS},
        "operations": {name: _operation(action, topic, summary) for name, action, topic, summary in _FLOWS},
        "components": {
            "schemas": {name: _schema(name) for name in _RECORDS.values()},
            "messages": {
                **{event_type.name: _event_message(event_type) for event_type in catalogue.values()},
                **{record: _message(record) for record in _RECORDS.values() if record != "channel_event"},
            },
        },
    }
    if kafka_host is not None:
        document["servers"] = {"log": {"host": kafka_host, "protocol": "kafka"}}
    return document


def _channel(topic: Topic, catalogue: Mapping[str, EventType]) -> dict[str, Any]:
    record = _RECORDS[topic.name]
    names = list(catalogue) if record == "channel_event" else [record]
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": topic.retention_days * DAY_MS},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(action: str, topic: Topic, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}, "summary": summary}


def _schema(record: str) -> dict[str, Any]:
    return {"schemaFormat": AVRO, "schema": registry().current[record].source}


def _message(record: str) -> dict[str, Any]:
    return {
        "name": record,
        "summary": registry().current[record].source["doc"],
        "payload": {"$ref": f"#/components/schemas/{record}"},
    }


def _event_message(event_type: EventType) -> dict[str, Any]:
    return {
        "name": event_type.name,
        "summary": event_type.meaning,
        "tags": [{"name": event_type.group}],
        "payload": {"$ref": "#/components/schemas/channel_event"},
        # What stands in the record's `attributes`, which Avro sees as bytes.
        "x-attributes": attributes_schema(event_type, _WIRE_FORMS),
        "x-http-example": event_type.example,
    }
