"""What the profile publishes: a full statement of one customer at one version."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Fact = float | bool | str
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

    `version` never restarts. `kind` is anonymous, person, company, household or group. `facts` names those that are not
    at rest: a fact that is neither there nor in `missing` or `not_covered` is 0.0, false or "" (`AT_REST`). Numbers are
    doubles and finite. `missing` names unknown facts, `not_covered` those whose source the bank does not have.
    `unheard` names channels of which not everything up to a day and a half before has been heard: what is absent there
    may still be on its way.
    `aliases` are former customer ids and ids of the other subjects; `merged` those of them that were customers of
    their own until a person decided that they are this one: of each it is said, before or after, that it is gone.
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
