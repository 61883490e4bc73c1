"""What whoever answers for a rule must know of it: that it says nothing for now, why, and when that has ended."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from services.alerts.domain.alert import SYSTEM
from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.rules import EMPTY, Language, Text
from services.alerts.domain.wording import said

Matter = Literal["throttled", "paused", "stopped"]
"""Throttled: too many of its alerts were not relevant. Paused: it spoke of an unusual number of customers at once.
Stopped: it met a value of another type than it was written for."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """`began`: or has ended. `owner` answers for the rule, empty where its file names nobody. `seen` of `among`: wrong
    outcomes of all of them, or customers of the day and the most in any one day before. `at` in ms; `note`: a person's
    own words, or what the rule met."""

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


def in_force(newest: Iterable[Notice]) -> dict[tuple[str, Matter], Notice]:
    """Of the newest notice on each rule and matter those that have not ended."""
    return {(one.rule, one.matter): one for one in newest if one.began}


def paused(newest: Iterable[Notice], enabled_at: Mapping[str, int]) -> frozenset[str]:
    """Rules that rest until a person enables them. `enabled_at`: when one last did (ms)."""
    return frozenset(
        rule for (rule, matter), one in in_force(newest).items()
        if matter == "paused" and enabled_at.get(rule, 0) <= one.at
    )  # fmt: skip


# the punctuation of Chinese is written by its numbers: ruff takes it for a slip of the hand
_SAID: Mapping[tuple[Matter, bool], Text] = {
    ("throttled", True): Text(
        "Rule {rule} ({name}) is throttled: {seen} of its {among} outcomes were not relevant",
        "规则 {rule}\uff08{name}\uff09已限流\uff1a{among} 条处理结果中有 {seen} 条不相关",
    ),
    ("throttled", False): Text(
        "Rule {rule} ({name}) is throttled no longer", "规则 {rule}\uff08{name}\uff09已解除限流"
    ),
    ("paused", True): Text(
        "Rule {rule} ({name}) is paused: it began to speak of {seen} customers in one day, at most {among} before",
        "规则 {rule}\uff08{name}\uff09已暂停\uff1a一天内涉及 {seen} 位客户\uff0c此前单日最多 {among} 位",
    ),
    ("paused", False): Text("Rule {rule} ({name}) is paused no longer", "规则 {rule}\uff08{name}\uff09已恢复"),
    ("stopped", True): Text(
        "Rule {rule} ({name}) was stopped: it does not fit the values it meets",
        "规则 {rule}\uff08{name}\uff09已停用\uff1a与实际数据类型不符",
    ),
    ("stopped", False): Text("Rule {rule} ({name}) runs again", "规则 {rule}\uff08{name}\uff09已恢复运行"),
}
_TO_DO: Mapping[Matter, Text] = {
    "throttled": Text(
        "Mend its condition under a new version, or enable it: outcomes count anew from then on",
        "请修正条件并提升版本\uff0c或重新启用\uff1b此后重新统计处理结果",
    ),
    "paused": Text(
        "See whether a file is late; then enable it, and it speaks of whom it still holds for",
        "请先确认数据文件是否迟到\uff0c再重新启用\uff1b仍符合条件的客户会照常告警",
    ),
    "stopped": Text(
        "Mend its condition under a new version, or what feeds the fact; what it said before stands meanwhile",
        "请修正条件并提升版本\uff0c或检查数据来源\uff1b此前的告警暂时保留",
    ),
}


def sentence(told: Notice, language: Language) -> str:
    text, name = said(_SAID[told.matter, told.began], language), said(told.name, language)
    return text.format(rule=told.rule, name=name, seen=told.seen, among=told.among)


def to_do(told: Notice, language: Language) -> str:
    """Empty where it has ended."""
    return said(_TO_DO[told.matter], language) if told.began else ""
