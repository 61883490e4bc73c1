"""The shapes of questions and answers: read by the framework, and the source of the OpenAPI document."""

from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from schemas.identifiers import KINDS
from services.web.problems import ProblemDocument, described, problem_of


class IdentifiersGiven(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    customer_no: str | None = None
    account_no: str | None = None
    card_no: str | None = None
    loan_no: str | None = None
    login: str | None = None
    phone: str | None = None
    email: str | None = None
    device_id: str | None = None
    national_id: str | None = None
    case_id: str | None = None
    application_id: str | None = None
    mandate_id: str | None = None
    contract_id: str | None = None
    household_no: str | None = None
    group_no: str | None = None
    manager_id: str | None = None

    def given(self) -> dict[str, str]:
        return {kind: value for kind in KINDS if (value := getattr(self, kind)) is not None}


class Search(IdentifiersGiven, kw_only=True, forbid_unknown_fields=True):
    """Any identifiers, at the top or under `identifiers`, or a whole name. A customer that matches any of it is
    found."""

    identifiers: IdentifiersGiven | None = None
    name: str | None = None

    def named(self) -> dict[str, str]:
        return self.given() | (self.identifiers.given() if self.identifiers is not None else {})


class CustomerView(msgspec.Struct, kw_only=True):
    """Times are RFC 3339 in UTC; money is `{"value": "1200.50", "currency": "CNY"}`. `up_to_date` false: more was
    committed since, and a mistake of ours keeps it from being shown. `members`: of a household or group; `signatories`:
    who may act on the accounts without holding them. `erased_at`: nothing that was told of persons before
    is shown."""

    customer_id: str
    version: int
    changed_at: str
    erased_at: str | None
    up_to_date: bool
    kind: str
    tier: str | None
    person: dict[str, Any]
    identifiers: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    signatories: list[dict[str, Any]]
    products: list[dict[str, Any]]
    mandates: list[dict[str, Any]]
    applications: list[dict[str, Any]]
    channels: dict[str, dict[str, Any]]
    cases: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    consents: Any
    preferences: dict[str, Any]
    flags: dict[str, bool]
    members: list[dict[str, Any]]
    household: dict[str, Any] | None
    groups: list[dict[str, Any]]
    measures: dict[str, Any]
    behaviour: dict[str, Any]
    value: dict[str, Any]
    assets: dict[str, Any]
    owner: Any
    complete_up_to: dict[str, Any]
    silent_sources: list[str]


class Customers(msgspec.Struct, kw_only=True):
    """`more`: others match, too, and are not shown."""

    customers: list[CustomerView]
    more: bool


class Timeline(msgspec.Struct, kw_only=True):
    """`events` in the form in which channels send them, newest first; `next` is the cursor of the next page."""

    customer_id: str
    events: list[dict[str, Any]]
    next: str | None


class FactMeaning(msgspec.Struct, kw_only=True):
    type: str
    unit: str
    meaning: str


class Facts(msgspec.Struct, kw_only=True):
    """`up_to_date` as in the view. `missing`: unknown now. `not_covered`: no registered source could tell. `meanings`
    by name."""

    customer_id: str
    version: int
    as_of: str
    up_to_date: bool
    values: dict[str, float | bool | str]
    missing: list[str]
    not_covered: list[str]
    moments: list[dict[str, Any]]
    meanings: dict[str, FactMeaning]


class DeadLetter(msgspec.Struct, kw_only=True):
    """`body` is scrubbed; of what could not be read it has an excerpt or nothing. `length` and `sha256` are those of
    what was sent."""

    letter_id: str
    at: str
    stage: str
    source: str
    reason: str
    field: str
    message: str
    event_id: str | None
    state: str
    body: str
    length: int
    sha256: str


class DeadLetters(msgspec.Struct, kw_only=True):
    dead_letters: list[DeadLetter]


class SourceFreshness(msgspec.Struct, kw_only=True):
    """`silent`: nothing was heard of it for longer than is usual."""

    source: str
    channel: str
    complete_up_to: str | None
    last_accepted_at: str | None
    last_heartbeat_at: str | None
    silent: bool


class Sources(msgspec.Struct, kw_only=True):
    sources: list[SourceFreshness]


class CustomerPlace(msgspec.Struct, kw_only=True):
    customer_id: str
    href: str


class SeveralCustomers(ProblemDocument, kw_only=True):
    """The customers whom a former id stands for."""

    customers: list[CustomerPlace]


_SEVERAL = problem_of(SeveralCustomers, "A former id that stands for several customers")


def answers(shape: type | None = None) -> dict[int, ResponseSpec]:
    """For the document: problems, and the shape of an answer that is written as bytes."""
    return described(shape, {409: "It cannot be decided as things stand"}) | {300: _SEVERAL}
