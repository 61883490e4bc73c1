"""What people get wrong in a rule without noticing, and what they are told to write instead."""

from pathlib import Path

import pytest

from services.alerts.adapters.rule_files import load_rules
from services.alerts.domain.comparing import WORDS
from services.declared_files import Directories
from services.profile.domain.value.policy import TIERS
from tests.alerts.told import CEL, KNOWN

WRITTEN = """\
changed_by: Wang Lei
rules:
  - id: B1
    kind: retention
    situation: leaving
    name: {en: One, zh: 一}
    when: [assets >= 1000.0]
    severity: "2.0"
    cooldown_days: 20
    reason: {en: "{assets} here", zh: "余额 {assets}"}
"""
WHEN, LINE_OF_WHEN = "[assets >= 1000.0]", 7


def told(tmp_path: Path, content: bytes) -> list[str]:
    (tmp_path / "own").mkdir()
    (tmp_path / "product").mkdir()
    (tmp_path / "own" / "bank.yaml").write_bytes(content)
    loaded = load_rules(Directories(tmp_path / "product", tmp_path / "own"), KNOWN, CEL, {})
    return [str(one) for one in loaded.mistakes]


def changed(before: str, after: str) -> bytes:
    assert before in WRITTEN
    return WRITTEN.replace(before, after).encode()


@pytest.mark.parametrize("content", [
    WRITTEN.encode(), WRITTEN.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + WRITTEN.encode(),
    changed("{assets} here", "up to 40 %, 1,000 or more\uff08见附注\uff09 = {assets} [{assets} in all]"),
    changed(WHEN, "['assets > 0.0 && balance_total / assets > 2.0', \"owner == '张三\uff0c李四'\"]"),
    changed(WHEN, "[\"'G-' + tier == 'G-gold'\", \"tier in ['gold', '']\", has_salary != false, 0.0 <= assets]"),
])  # fmt: skip
def test_what_is_right_is_taken(tmp_path: Path, content: bytes) -> None:
    assert told(tmp_path, content) == []


@pytest.mark.parametrize(("condition", "meant"), [
    ("assets \u2265 1000.0", "has \u2265: write >="),
    ("assets >= \uff11000.0", "has \uff11: write 1"),
    ("\uff08assets >= 1000.0\uff09", "has \uff08: write ("),
    ("tier == \u2018gold\u2019", "has \u2018: write '"),
    ("assets\u3000>= 1000.0", "has a wide or fixed space: write an ordinary one"),
    ("assets >= 10万", "has 万: facts have English names, and a text stands in quotes"),
    ("assets => 1000.0", "has =>: write >="),
    ("assets = 1000.0", "has =: write =="),
    ("assets <> 1000.0", "has <>: write !="),
    ("has_salary & complaint_open", "has &: write &&"),
    ("has_salary AND complaint_open", "has AND: write &&"),
    ("not has_salary", "has not: write !"),
    ("assets >= 1,000,000.0", "has 1,000,000.0: write 1000000.0"),
    ("assets >= 40% * balance_total", "has %: write 0.4 for a share of 40 %"),
    ("tier == gold", "no fact is called gold; a text stands in quotes: 'gold'"),
    ("has_salary == 1.0", "has_salary is true or false and never equals 1.0"),
    ("'yes' == has_salary", "has_salary is true or false and never equals 'yes'"),
    ("assets != 'many'", "assets is a number and never equals 'many'"),
    ("tier == null", "tier is a text and never equals null"),
    ("tier in ['gold', 3.0]", "tier is a text and never equals 3.0"),
    ("tier == 'silver'", "tier is never 'silver'; it is one of gold, profit, general"),
    ("assets / balance_total > 2.0", "divides by what may be 0.0: write `x > 0.0 ? y / x : 0.0`"),
    ("assets / (assets - balance_total) > 2.0", "divides by what may be 0.0"),
])  # fmt: skip
def test_a_condition_that_could_not_be_meant_is_told_what_to_write(tmp_path: Path, condition: str, meant: str) -> None:
    quoted = condition.replace("'", "''")
    (mistake,) = told(tmp_path, changed(WHEN, f"['{quoted}']"))
    assert mistake.startswith(f"bank.yaml:{LINE_OF_WHEN}: B1 when[0]: ")
    assert meant in mistake


@pytest.mark.parametrize(("content", "what"), [
    (changed("    severity", "\tseverity"), "8: is no YAML: the line begins with a tab: write spaces"),
    (changed("    severity", "\u3000\u3000severity"), "8: is no YAML: the line begins with a wide space"),
    (changed("severity: ", "severity\uff1a"), "8: is no YAML: the colon is a wide one: write : and a space"),
    (changed("{en: One", "\uff5ben: One"), "6: is no YAML: \uff5b is a wide sign: write {"),
    (changed("One, zh", "One\uff0c zh"), "6: is no YAML: \uff0c is a wide sign: write ,"),
    (changed(WHEN, "[!has_salary]"), "7: is no YAML: a condition that begins with ! stands in quotes"),
    (changed("    severity", "     severity"), "8: is no YAML"),
    (WRITTEN.replace("一", "工资").encode("gbk"), "6: is not written in UTF-8 (GBK, as it seems): save it as UTF-8"),
    (WRITTEN.encode("utf-16"), "1: is not written in UTF-8: save it as UTF-8"),
    (changed("One", "O\0ne"), "6: cannot be read: it has the control character 0x00"),
])  # fmt: skip
def test_what_is_no_yaml_is_told_the_line_and_what_to_write(tmp_path: Path, content: bytes, what: str) -> None:
    (mistake,) = told(tmp_path, content)
    assert mistake.startswith(f"bank.yaml:{what}")


@pytest.mark.parametrize(("before", "after", "what"), [
    ("zh: 一", "zh: ''", "name: says nothing in zh"),
    ('en: "{assets} here"', 'en: " "', "reason: says nothing in en"),
    ("余额 {assets}", "余额 \uff5bassets\uff5d", "reason: has \uff5b: write {"),
    ("{assets} here", "[{assets} here", "reason: has a [ or ] alone"),
])  # fmt: skip
def test_a_text_that_would_be_shown_as_nobody_meant_it_is_refused(
    tmp_path: Path, before: str, after: str, what: str
) -> None:
    (mistake,) = told(tmp_path, changed(before, after))
    assert f"B1 {what}" in mistake


def test_a_text_of_which_one_language_is_missing_is_refused_and_none_at_all_may_be(tmp_path: Path) -> None:
    content = WRITTEN + "    suggested: {en: Call., zh: ''}\n    may_say: {en: '', zh: ''}\n"
    assert told(tmp_path, content.encode()) == ["bank.yaml:11: B1 suggested: says nothing in zh"]


def test_a_field_that_there_is_not_is_told_with_its_own_line(tmp_path: Path) -> None:
    content = WRITTEN.replace("zh: 一", "zh: 一, fr: Un") + "    cooldown: 3\n"
    assert told(tmp_path, content.encode()) == [
        "bank.yaml:6: B1 name: Object contains unknown field `fr`",
        "bank.yaml:11: B1: Object contains unknown field `cooldown`; did you mean cooldown_days?",
    ]


def test_the_words_that_a_tier_may_be_are_those_of_the_profile() -> None:
    assert set(WORDS["tier"]) == {"", *TIERS}
