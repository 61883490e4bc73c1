"""What the profile publishes: a full statement of one customer at one version."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Fact = float | bool | str
GONE = "gone"
"""The kind of a statement by which a customer ends: it was merged, or all that it was counts for others."""
FactType = Literal["number", "boolean", "string"]
AT_REST: Mapping[FactType, Fact] = {"number": 0.0, "boolean": False, "string": ""}
"""What a fact is that a statement does not name."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A notable event with its judgement (a debit of 40 % of the balance before it). Time in ms UTC."""

    moment_id: str
    kind: str
    occurred_at: int
    event_id: str
    values: dict[str, Fact] = {}


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Something that will be missing at `at` (ms UTC) unless it happens; held until `sources` are complete past it."""

    at: int
    kind: str
    sources: list[str] = []


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True):
    """All facts and *every* moment still within its window, so that a consumer may skip older versions.

    `version` never restarts. `kind` is anonymous, person, company, household, group or gone. A fact that stands neither
    in `facts` nor in `missing` (unknown) nor in `not_covered` (the bank has no such source) is at rest: 0.0, false or
    "" (`AT_REST`). Numbers are finite doubles. `unheard`: channels that are not complete up to a day and a half before;
    what is absent there may still be on its way. `aliases`: former customer ids, and the ids of the other subjects.
    `merged`: those aliases that were customers of their own until a person merged them into this one; each of them is
    also published as gone, before or after this. `erased_at` (ms UTC): when all that makes up the customer was
    erased, 0 for never; of one that is gone, before it was merged.
    """

    customer_id: str
    version: int
    kind: str
    changed_at: int
    facts: dict[str, Fact] = {}
    missing: list[str] = []
    not_covered: list[str] = []
    unheard: list[str] = []
    moments: list[Moment] = []
    due: list[Due] = []
    aliases: list[str] = []
    merged: list[str] = []
    erased_at: int = 0
