"""Each service describes itself; what several serve together is one document, and what one serves alone its own."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from services.web.asgi import routes
from services.web.openapi import OPENAPI_PATH, merged, openapi_route
from services.web.staff import openapi_document
from tests.alerts.web.branch import Branch
from tests.ingest.bank import open_bank as open_ingest
from tests.profile.web.bank import open_bank as open_profile

OFFICIAL = Path(__file__).parents[1] / "ingest" / "openapi" / "3.1.schema.json"
OWN_PATHS = {"ingest": "/v1/events", "profile": "/v1/customers/{customer_id}", "alerts": "/v1/alerts/{alert_id}"}


def document(path: str, **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": path}, "paths": {path: {"get": {"operationId": path}}}, **more}


def test_paths_and_components_of_all_stand_in_one_document() -> None:
    first = document("/a", components={"schemas": {"A": {"type": "string"}}})
    second = document("/b", components={"schemas": {"B": {"type": "string"}}})
    whole = merged([first, second])
    assert set(whole["paths"]) == {"/a", "/b"}
    assert set(whole["components"]["schemas"]) == {"A", "B"}
    assert whole["info"] == first["info"]


def test_an_operation_keeps_the_security_of_its_own_document() -> None:
    whole = merged([document("/a"), document("/b", security=[{"token": []}])])
    assert "security" not in whole
    assert whole["paths"]["/b"]["get"]["security"] == [{"token": []}]
    assert "security" not in whole["paths"]["/a"]["get"]


def test_two_things_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="/a is described twice"):
        merged([document("/a"), {**document("/a"), "paths": {"/a": {"get": {"operationId": "other"}}}}])


async def documents() -> dict[str, Any]:
    ingest, profile = await open_ingest(), await open_profile()
    alerts = Branch()
    return {
        "ingest": ingest.ingest.openapi,
        "profile": openapi_document(profile.litestar),
        "alerts": openapi_document(alerts.litestar),
    }


async def test_whoever_serves_it_the_document_says_which_release_it_is_of() -> None:
    assert {one["info"]["version"] for one in (await documents()).values()} == {version("counterpoint")}


@pytest.mark.parametrize("served", [["ingest"], ["profile"], ["alerts"], list(OWN_PATHS)], ids="+".join)
async def test_a_process_lays_open_what_it_serves_and_nothing_else(served: list[str]) -> None:
    known = await documents()
    transport = httpx.ASGITransport(app=routes(openapi_route(*(known[name] for name in served))))
    async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as client:
        document = (await client.get(OPENAPI_PATH)).json()
    official = Draft202012Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))
    assert [error.message for error in official.iter_errors(document)] == []
    assert OPENAPI_PATH in document["paths"]
    assert {name for name, path in OWN_PATHS.items() if path in document["paths"]} == set(served)
    names = {part.partition('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])


async def test_the_document_says_which_bodies_may_be_left_out_and_that_no_other_field_is_taken() -> None:
    known = await documents()
    claim, snooze = (
        known["alerts"]["paths"][f"/v1/alerts/{{alert_id}}/{step}"]["post"] for step in ("claim", "snooze")
    )
    assert (claim["requestBody"]["required"], snooze["requestBody"]["required"]) == (False, True)
    merge = known["profile"]["components"]["schemas"]["Merge"]
    validator = Draft202012Validator(merge)
    fits = {"customer_ids": ["a", "b"], "reason": "x"}
    assert validator.is_valid(fits)
    for wrong in ({"why": "x"}, {"customer_ids": ["a"]}, {"customer_ids": ["a", "b", "c"]}):
        assert not validator.is_valid(fits | wrong)
