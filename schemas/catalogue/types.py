"""The shape of the catalogue: one event type with its attributes and the links that it asserts."""

from typing import Any, Literal

import msgspec

AttributeType = Literal["string", "integer", "number", "boolean", "date", "datetime", "money"]


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """`values`, when there are any, are the only ones allowed. `max_length` counts characters of a string.

    A `date` is `YYYY-MM-DD`, a `datetime` RFC 3339 with offset, `money` `{"value": "1200.50", "currency": "CNY"}`.
    `personal` ones must not reach a log or an error; those that are strings (names, addresses, free text) are kept
    apart, and states refer to them.
    """

    name: str
    meaning: str
    type: AttributeType = "string"
    required: bool = False
    personal: bool = False
    values: tuple[str, ...] = ()
    max_length: int = 200


class Assertion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link that the event asserts or `ends`, when both its sides are present.

    `subject` is an identifier kind; of `targets` (identifier kinds) the first present wins. The role is the attribute
    `role_attribute`, else `role`; an ending assertion ends the link whatever its role. `carries_past`: the link holds
    from the beginning of time, otherwise from the event's `occurred_at`. `subject_attribute`: the subject's value
    stands in this attribute and not among the identifiers. `required`: an event without both sides says nothing, and is
    refused.
    """

    subject: str
    targets: tuple[str, ...]
    role: str = "self"
    role_attribute: str | None = None
    ends: bool = False
    carries_past: bool = False
    subject_attribute: str | None = None
    required: bool = False


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` lists identifier kinds, the first present wins; empty means `source:<source id>`.

    `rank` orders events of one instant: what creates before what uses before what ends. `direction` is fixed by the
    type, `required` of the event, or none. `flow` says what a movement is, unless the attribute `purpose` does.
    `channels` are those it usually comes from; they forbid nothing. `urgent`: somebody should hear of it at once,
    however much everyday business waits. `reversible`: what it counts can be reversed although the money is told of
    elsewhere; that of a movement always can. `example` is a full event in the HTTP form.
    """

    name: str
    group: str
    meaning: str
    channels: tuple[str, ...]
    subject: tuple[str, ...]
    rank: int
    money: Literal["required", "optional", "none"] = "none"
    direction: Literal["credit", "debit", "required"] | None = None
    flow: str | None = None
    urgent: bool = False
    reversible: bool = False
    asserts: tuple[Assertion, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    example: dict[str, Any]
