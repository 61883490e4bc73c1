"""The generated documents are valid by the official schemas, and say what the code does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from schemas.catalogue import EventType, load_catalogue
from schemas.documents import asyncapi_document, event_json_schema, event_types_document
from schemas.registry import registry
from schemas.topics import TOPICS

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.1.0.schema.json"


@pytest.fixture(scope="module")
def catalogue() -> Mapping[str, EventType]:
    return load_catalogue()


@pytest.fixture(scope="module")
def asyncapi(catalogue: Mapping[str, EventType]) -> dict[str, Any]:
    return asyncapi_document(catalogue, version="0.1.0", kafka_host="broker.example:9092")


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def validator(catalogue: Mapping[str, EventType], name: str) -> Draft202012Validator:
    schema = event_json_schema(catalogue)
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})


def test_the_asyncapi_document_is_valid(official: Draft7Validator, asyncapi: dict[str, Any]) -> None:
    assert [error.message for error in official.iter_errors(asyncapi)] == []


@pytest.mark.parametrize(
    "harm",
    [
        {"asyncapi": "3.0.0"},
        {"info": {"title": "no version"}},
        {"channels": {"channel-events": {"address": 1}}},
        {"operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/alerts"}}}},
        {"components": {"schemas": {"x": {"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": {}}}}},
    ],
)
def test_the_validation_would_notice(official: Draft7Validator, asyncapi: dict[str, Any], harm: dict[str, Any]) -> None:
    assert not official.is_valid({**asyncapi, **harm})


def test_every_topic_stands_in_it_with_its_record(asyncapi: dict[str, Any]) -> None:
    assert list(asyncapi["channels"]) == [topic.name for topic in TOPICS]
    assert set(asyncapi["components"]["schemas"]) == set(registry().current)


def test_every_reference_leads_somewhere(asyncapi: dict[str, Any], catalogue: Mapping[str, EventType]) -> None:
    for document in (asyncapi, event_json_schema(catalogue)):
        assert [reference for reference in references(document) if not leads(document, reference)] == []


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [found for item in value.values() for found in references(item)]


def leads(document: Any, reference: str) -> bool:
    for part in reference.removeprefix("#/").split("/"):
        if part not in document:
            return False
        document = document[part]
    return True


def test_the_schema_of_events_is_a_schema(catalogue: Mapping[str, EventType]) -> None:
    Draft202012Validator.check_schema(event_json_schema(catalogue))


def test_every_example_is_valid_by_its_own_type_and_by_no_other(catalogue: Mapping[str, EventType]) -> None:
    validators = {name: validator(catalogue, name) for name in catalogue}
    for name, event_type in catalogue.items():
        assert [other for other, check in validators.items() if check.is_valid(event_type.example)] == [name]


@pytest.mark.parametrize(
    "harm",
    [
        {"surprise": 1},
        {"identifiers": {"phone": "+8613912345678"}},
        {"identifiers": {}},
        {"amount": {"value": 12.5, "currency": "CNY"}},
        {"amount": {"value": "1,200", "currency": "CNY"}},
        {"amount": {"value": "1", "currency": "XQX"}},
        {"direction": "sideways"},
        {"attributes": {"purpose": "mischief"}},
        {"attributes": {"colour": "red"}},
    ],
)
def test_an_event_that_ingest_would_refuse_is_invalid(catalogue: Mapping[str, EventType], harm: dict[str, Any]) -> None:
    example = catalogue["transaction.posted"].example
    assert not validator(catalogue, "transaction.posted").is_valid({**example, **harm})


def test_the_parts_can_stand_in_another_document(catalogue: Mapping[str, EventType]) -> None:
    schema = event_json_schema(catalogue, prefix="#/components/schemas/")
    document = {"components": {"schemas": schema["$defs"]}, "event": schema}
    assert all(leads(document, reference) for reference in references(document))


def test_the_catalogue_is_laid_open_as_plain_json(catalogue: Mapping[str, EventType]) -> None:
    document = json.loads(json.dumps(event_types_document(catalogue)))
    assert [entry["name"] for entry in document] == list(catalogue)
    assert all(entry["meaning"] and entry["example"] for entry in document)
