"""What whoever answers for a rule must know of it: that it says nothing for now, why, and when that has ended."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from services.alerts.domain.alert import SYSTEM
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.rules import EMPTY, Text

Matter = Literal["throttled", "paused"]
"""Throttled: too many of its alerts were not relevant. Paused: it spoke of an unusual number of customers at once."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`began`: or has ended. `owner` answers for the rule, empty where its file names nobody. `seen` of `among`: wrong
    outcomes of all of them, or customers of the day and the most in any one day before. `at` in ms; `note`: a person's
    own words."""

    rule: str
    name: Text
    matter: Matter
    began: bool
    at: int
    actor: str = SYSTEM
    owner: str = ""
    seen: int = 0
    among: int = 0
    note: str = ""


def notice(rules: RuleSet, rule_id: str, matter: Matter, at: int, *, began: bool, **told: Any) -> Notice:
    """`told`: the other fields. A rule that no file has any more has neither name nor owner."""
    known = rules.rule(rule_id)
    name, owner = (known.declared.name, known.declared.owner) if known else (EMPTY, "")
    return Notice(rule=rule_id, name=name, owner=owner, matter=matter, began=began, at=at, **told)


def standing(newest: Iterable[Notice]) -> dict[tuple[str, Matter], Notice]:
    """Of the newest notice on each rule and matter those that have not ended."""
    return {(one.rule, one.matter): one for one in newest if one.began}


def paused(newest: Iterable[Notice], enabled_at: Mapping[str, int]) -> frozenset[str]:
    """Rules that rest until a person enables them. `enabled_at`: when one last did (ms)."""
    return frozenset(
        rule for (rule, matter), one in standing(newest).items()
        if matter == "paused" and enabled_at.get(rule, 0) <= one.at
    )  # fmt: skip
