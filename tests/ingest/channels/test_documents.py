"""The OpenAPI document is valid by the official schema, and describes what the endpoint really answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.ingest.channels.documents import openapi_document
from services.ingest.settings import Limits
from tests.ingest.bank import CATALOGUE, open_bank, transaction

OFFICIAL = Path(__file__).parents[1] / "openapi" / "3.1.schema.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(CATALOGUE, Limits())


def _validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    official = Draft202012Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    assert [error.message for error in official.iter_errors(document)] == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_examples_fit_the_request(document: dict[str, Any], name: str) -> None:
    body = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert [error.message for error in _validator(document, body).iter_errors(CATALOGUE[name].example)] == []


@pytest.mark.parametrize(
    ("body", "status"), [({"events": [transaction(), {}]}, "202"), ({}, "422"), (b"{", "400"), (b" ", "400")]
)
async def test_answers_are_as_described(document: dict[str, Any], body: object, status: str) -> None:
    answer = await (await open_bank()).post(body)
    assert str(answer.status_code) == status
    described = document["paths"]["/v1/events"]["post"]["responses"][status]["content"]
    schema = described[answer.headers["content-type"]]["schema"]
    assert [error.message for error in _validator(document, schema).iter_errors(answer.json())] == []
