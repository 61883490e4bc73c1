"""Answers that a reader may have already: entity tags (RFC 9110, 8.8.3 and 13.1.2), and how the API document tells of
them."""

from dataclasses import dataclass
from typing import Annotated

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIHeader, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import HeaderParameter

IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match", description="`ETag` of what one has already")]
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description="`ETag` of what one has read: 412 if it is another by now")
]
NOT_MODIFIED = ResponseSpec(None, generate_examples=False, description="What one has already, by its `ETag`")


@dataclass
class Tagged(Operation):
    """Its answers carry an `ETag`: the document says so."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        for status in ("200", "304"):
            response = (self.responses or {}).get(status)
            if isinstance(response, OpenAPIResponse):
                response.headers = {"ETag": OpenAPIHeader(description="For `If-None-Match`", schema=text)}


def matches(if_none_match: str, tag: str) -> bool:
    """By weak comparison."""
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in tags or "*" in tags


def strong_tags(if_match: str | None) -> list[str] | None:
    """By strong comparison: of weak ones none. None: whatever there is."""
    tags = [one.strip() for one in (if_match or "*").split(",")]
    return None if "*" in tags else [one for one in tags if one.startswith('"')]
