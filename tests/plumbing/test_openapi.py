"""Two services describe themselves; what they serve together is one document."""

from typing import Any

import pytest

from services.openapi import merged


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
