"""Files of rules as a bank writes them, and what people get wrong in them."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.alerts.adapters.reading import Mistake
from services.alerts.adapters.rule_files import Loaded, load_rules
from services.alerts.domain.rules import Desk
from services.alerts.ports import RuleSwitch
from services.declared_files import Directories
from tests.alerts.told import CEL, KNOWN

SOUND = """\
rules:
  - id: R4
    kind: retention
    situation: leaving
    name: {en: Salary, zh: 工资}
    when: [has_salary, salary_missed >= 1.0]
    reason: {en: "{salary_missed} missed", zh: "缺 {salary_missed}"}
"""


@pytest.fixture
def files(tmp_path: Path) -> Directories:
    for name in ("product", "own"):
        (tmp_path / name).mkdir()
    (tmp_path / "product" / "desk.yaml").write_text("daily_capacity: 7\n")
    (tmp_path / "product" / "retention.yaml").write_text(SOUND, encoding="utf-8")
    return Directories(tmp_path / "product", tmp_path / "own")


def own(files: Directories, name: str, content: str) -> None:
    assert files.own is not None
    (files.own / name).write_text(content, encoding="utf-8")


def load(files: Directories, *switches: RuleSwitch) -> Loaded:
    return load_rules(files, KNOWN, CEL, {one.rule: one for one in switches})


def one_rule(**changes: Any) -> str:
    rule = {
        "id": "B1", "kind": "upsell", "situation": "growth", "name": {"en": "x", "zh": "y"}, "when": ["has_salary"],
        "reason": {"en": "x", "zh": "y"}, **changes,
    }  # fmt: skip
    return yaml.safe_dump({"rules": [rule]}, sort_keys=False, width=1_000_000)


def only(loaded: Loaded) -> Mistake:
    assert len(loaded.mistakes) == 1, [str(one) for one in loaded.mistakes]
    return loaded.mistakes[0]


def test_what_the_product_brings_is_read(files: Directories) -> None:
    loaded = load(files)
    assert not loaded.mistakes
    assert [rule.id for rule in loaded.rule_set.rules] == ["R4"]
    assert loaded.desk == Desk(daily_capacity=7)


def test_a_banks_file_adds_rules_and_in_one_of_the_product_s_name_a_rule_takes_the_place_of_the_product_s(
    files: Directories,
) -> None:
    own(files, "bank.yaml", one_rule())
    assert [rule.id for rule in load(files).rule_set.rules] == ["B1", "R4"]
    own(files, "retention.yaml", one_rule(id="B2"))
    assert [rule.id for rule in load(files).rule_set.rules] == ["B1", "R4", "B2"]
    own(files, "retention.yaml", one_rule(id="R4", cooldown_days=9))
    loaded = load(files)
    assert not loaded.mistakes
    assert [(rule.id, rule.declared.cooldown_days) for rule in loaded.rule_set.rules] == [("B1", 30), ("R4", 9)]


def test_who_changed_a_bank_s_file_did_not_change_the_product_s_rules_beside_it(files: Directories) -> None:
    own(files, "retention.yaml", "changed_by: Wang Lei\n" + one_rule(id="B2"))
    authors = load(files).authors
    assert (authors["B2"], authors["R4"]) == ("Wang Lei", files.product.joinpath("retention.yaml").owner())


def test_a_rule_that_the_bank_replaces_may_stand_there_once_alone(files: Directories) -> None:
    own(files, "retention.yaml", SOUND + SOUND.partition("\n")[2])
    assert [str(one) for one in load(files).mistakes] == [
        "retention.yaml:2: R4 id: line 8 has the same id",
        "retention.yaml:8: R4 id: line 2 has the same id",
    ]


def test_a_desk_of_the_banks_says_what_differs_and_a_mistake_in_it_has_its_line(files: Directories) -> None:
    (files.product / "desk.yaml").write_text("daily_capacity: 7\ntier_share: {gold: 40, profit: 60}\nremind_at: 70\n")
    own(files, "desk.yaml", "tier_share: {gold: 30}\n")
    loaded = load(files)
    assert loaded.desk == Desk(daily_capacity=7, tier_share={"gold": 30, "profit": 60}, remind_at=70)
    own(files, "desk.yaml", "# ours\nremind_at: 120\n")
    assert str(only(load(files))).startswith("desk.yaml:2: remind_at: ")


def test_a_rule_stays_as_written_although_it_looks_like_something_else(files: Directories) -> None:
    own(files, "bank.yaml", "rules:\n  - {id: B1, kind: upsell, situation: growth, on: large_debit, when: [true],"
        " severity: 2.0, version: 3, enabled: false, name: {en: No, zh: 否}, reason: {en: 1.0, zh: 一}}\n")  # fmt: skip
    loaded = load(files)
    assert not loaded.mistakes
    declared = loaded.rule_set.rules[0].declared
    assert (declared.on, declared.when, declared.severity) == ("large_debit", ("true",), "2.0")
    assert (declared.version, declared.enabled, declared.name.en, declared.reason.en) == (3, False, "No", "1.0")


def test_a_person_switches_a_rule_and_the_set_is_another_one(files: Directories) -> None:
    silence = RuleSwitch("R4", False, "Li Na", 1)
    loaded, silenced = load(files), load(files, silence)
    assert [rule.id for rule in loaded.rule_set.on_facts["person"]] == ["R4"]
    assert silenced.rule_set.on_facts == {}
    assert [rule.declared.enabled for rule in silenced.rule_set.rules] == [False]
    assert load(files).rule_set.version == loaded.rule_set.version != silenced.rule_set.version


def test_a_rule_that_is_switched_on_once_more_makes_another_set_so_that_it_is_put_before_everybody(
    files: Directories,
) -> None:
    once, again = (load(files, RuleSwitch("R4", True, "Li Na", at)) for at in (1, 2))
    assert once.rule_set.version != again.rule_set.version


def test_other_content_is_another_version(files: Directories) -> None:
    before = load(files).rule_set.version
    own(files, "desk.yaml", "daily_capacity: 9\n")
    assert load(files).rule_set.version != before


def test_a_changed_added_or_removed_file_gives_another_stamp(files: Directories) -> None:
    stamps = [files.stamp()]
    own(files, "bank.yaml", one_rule())
    stamps.append(files.stamp())
    path = files.path("bank.yaml")
    os.utime(path, ns=(1, 1))
    stamps.append(files.stamp())
    path.unlink()
    assert files.stamp() == stamps[0]
    assert len(set(stamps)) == 3


def test_what_an_editor_leaves_is_not_read(files: Directories) -> None:
    assert files.own is not None
    before = files.stamp()
    (files.own / ".#bank.yaml").symlink_to("somebody@machine")
    assert files.stamp() == before
    assert not load(files).mistakes


def test_a_file_that_cannot_be_read_is_a_mistake_and_no_crash(files: Directories) -> None:
    assert files.own is not None
    (files.own / "gone.yaml").symlink_to("nowhere")
    (files.own / "latin.yaml").write_bytes(b"rules: [\xe9]")
    (files.own / "folder.yaml").mkdir()
    assert files.stamp() == files.stamp()
    assert [one.file for one in load(files).mistakes] == ["folder.yaml", "gone.yaml", "latin.yaml"]


def test_every_mistake_is_told_and_what_is_right_is_there(files: Directories) -> None:
    own(files, "a.yaml", one_rule(id="B1", when=["salry_missed >= 1.0", "has_salary > 3.0"], cooldown_days=-1))
    own(files, "b.yaml", one_rule(id="B2", severity="assets >"))
    loaded = load(files)
    assert [(one.rule, one.field) for one in loaded.mistakes] == [
        ("B1", "cooldown_days"), ("B1", "when[0]"), ("B1", "when[1]"), ("B2", "severity"),
    ]  # fmt: skip
    assert [rule.id for rule in loaded.rule_set.rules] == ["R4"]


def test_an_unknown_fact_is_told_with_its_line_and_the_nearest_name(files: Directories) -> None:
    own(files, "bank.yaml", SOUND.replace("R4", "B4").replace("salary_missed >=", "salary_mised >="))
    assert str(only(load(files))) == (
        "bank.yaml:6: B4 when[1]: no fact is called salary_mised; did you mean salary_missed?"
    )


def test_an_unknown_channel_is_told_with_its_line_and_the_nearest_name(files: Directories) -> None:
    sound = SOUND.replace("R4", "B4")
    own(files, "bank.yaml", sound + "    depends_on:\n      - atm\n      - corebnk\n")
    assert str(only(load(files))) == (
        "bank.yaml:10: B4 depends_on[1]: no channel is called corebnk; did you mean corebank?"
    )
    own(files, "bank.yaml", sound + "    depends_on: [fax]\n")
    assert only(load(files)).message.startswith("no channel is called fax; one of counter, atm, online, mobile, ")


@pytest.mark.parametrize("held", [{"blocks": ["upsell"]}, {"wording": "service_only"}])
def test_a_guard_that_holds_back_is_told_that_it_waits_for_no_channel(files: Directories, held: dict[str, Any]) -> None:
    own(files, "a.yaml", one_rule(kind="guard", depends_on=["corebank"], **held))
    told = only(load(files))
    assert told.field == "depends_on"
    assert told.message.startswith("a guard holds back on what is unknown, and waits for no channel: name facts")
    own(files, "a.yaml", one_rule(kind="guard", situation="care", depends_on=["corebank"]))
    assert not load(files).mistakes, "a case of care may speak of an absence"


def test_a_fact_that_a_text_alone_names_is_looked_for_as_well(files: Directories) -> None:
    own(files, "bank.yaml", one_rule(reason={"en": "x", "zh": "{asets}"}))
    assert only(load(files)).message == "no fact is called asets; did you mean assets?"


def test_a_rule_of_very_many_conditions_is_refused(files: Directories) -> None:
    own(files, "bank.yaml", one_rule(when=["assets > 1.0"] * 41))
    assert only(load(files)).message == "at most 40 conditions are taken: ask for a fact instead"


@pytest.mark.parametrize(("source", "told"), [
    ("assets / 0.0 > 1.0", "divides by 0: write what it is a share of"),
    ("assets / 00 > 1.0", "divides by 0: write what it is a share of"),
    ("2 * assets > 3.0", "has the whole number 2: numbers are doubles, write 2.0"),
    ("[1.0, 2.0].all(x, [1.0].all(y, x > y))", "loops (all, exists, exists_one, map, filter) are not taken"),
    ("assets > 1.0" + " && assets > 1.0" * 200, "characters long; at most 2000 are taken"),
    ("(" * 40 + "has_salary" + ")" * 40, "is nested more than 32 deep"),
    ("tier in [" + ", ".join(["'gold'"] * 200) + "]", "a list of more than 100 values"),
    ("!" * 1_000 + "has_salary", "has 1000 operators; at most 150 are taken"),
    ("has_salary" + "||has_salary" * 152, "has 152 operators; at most 150 are taken"),
    ("{'a': 1.0}['b'] > 1.0", "there is no 'b' to take"),
    ("tier.contains('a') && sleep(9.0)", "calls sleep"),
    (r"tier.matches('(\\w{0,9}){0,10}b%d')", "calls matches; known are contains, double, endsWith"),
    ("assets", "gives float; a condition is expected"),
    ("has_salary > 3.0", "No such overload"),
    ("moment.amount_home > 1.0", "needs `on`"),
])  # fmt: skip
def test_a_condition_that_costs_too_much_or_mixes_types_is_refused(files: Directories, source: str, told: str) -> None:
    own(files, "bank.yaml", one_rule(when=[source]))
    mistake = only(load(files))
    assert told in mistake.message
    assert (mistake.file, mistake.rule, mistake.field.partition("[")[0]) == ("bank.yaml", "B1", "when")


@pytest.mark.parametrize(("severity", "told"), [
    ("9.0", "bank.yaml:13: B1 severity: may be 9.0: 1.0 to 3.0 are expected"),
    ("0.0", "may be 0.0"),
    ("assets >= 5000000.0 ? 4.0 : 2.0", "may be 4.0"),
    ("assets >= 5.0 ? 3.0 : (has_salary ? 2.0 : 0.5)", "may be 0.5"),
    ("owner == 'a ? 1.0 : 2.0' ? 3.0 : 7.0", "may be 7.0"),
    ("salary_missed", "may be salary_missed"),
    ("has_salary ? assets / 100000.0 : 1.0", "may be assets / 100000.0"),
])  # fmt: skip
def test_a_severity_that_could_lie_outside_is_refused_with_what_to_write(
    files: Directories, severity: str, told: str
) -> None:
    own(files, "bank.yaml", one_rule(severity=severity))
    mistake = only(load(files))
    assert told in str(mistake)
    assert "a choice between them such as `assets >= 1000000.0 ? 3.0 : 2.0`" in mistake.message


@pytest.mark.parametrize("owners", ["['x?', 'y:']", "['x(', 'y']", "['x', 'it\\'s)']"])
def test_a_severity_may_be_chosen_in_steps(files: Directories, owners: str) -> None:
    own(files, "bank.yaml", one_rule(severity=f"assets >= 5.0 ? 3.0 : (owner in {owners} ? 2.0 : 1.0)"))
    assert not load(files).mistakes


@pytest.mark.parametrize(("field", "least", "most"), [
    ("version", 1, 1_000_000), ("respond_within_hours", 1, 2_000), ("expires_after_days", 1, 400),
    ("cooldown_days", 0, 400), ("stays_said_days", 0, 400),
])  # fmt: skip
def test_a_number_of_a_rule_may_be_as_little_and_as_much_as_is_said(
    files: Directories, field: str, least: int, most: int
) -> None:
    for given, mistaken in ((least - 1, 1), (least, 0), (most, 0), (most + 1, 1)):
        own(files, "bank.yaml", one_rule(**{field: given}))
        assert len(load(files).mistakes) == mistaken


@pytest.mark.parametrize(("changes", "told"), [
    ({"cooldown_days": -1}, "cooldown_days: 0 to 400 days are expected"),
    ({"cooldown_days": "soon"}, "cooldown_days: a whole number is expected"),
    ({"colour": "red"}, "unknown field `colour`"),
    ({"cooldown_day": 3}, "did you mean cooldown_days?"),
    ({"situation": "leaveing"}, "one of leaving, money_arriving"),
    ({"when": []}, "when: either `when` (all must hold) or `when_any` (one is enough) is expected"),
    ({"about": []}, "about: at least one kind of customer is expected"),
    ({"version": 10**30}, "version: 1 to 1000000 is expected"),
    ({"respond_within_hours": 0}, "respond_within_hours: 1 to 2000 is expected"),
    ({"expires_after_days": 10**30}, "expires_after_days: 1 to 400 is expected"),
    ({"when_any": ["has_salary"]}, "either `when` (all must hold) or `when_any`"),
    ({"on": "large_debt"}, "no moment is called large_debt; did you mean large_debit?"),
    ({"on": "large_debit", "when": ["moment.stars < 3.0"]}, "a moment large_debit has no field stars; there are"),
    ({"on": "locker.opened"}, "no moment is called locker.opened; there are large_debit"),
    ({"id": "b 1"}, "capitals, digits, - and _ are expected"),
    ({"blocks": ["upsell"]}, "only a guard holds others back"),
    (
        {"kind": "guard", "wording": "service_only", "may_say": {"en": "{assets}", "zh": "-"}},
        "may_say: is said of whatever alert the guard words or holds back: name no figure in it",
    ),
    ({"name": {"en": "no\0end", "zh": "-"}}, "name: control characters are not taken"),
    ({"reason": {"en": "{assets|euro}", "zh": "-"}}, "reason: after { comes the name of a fact"),
    ({"reason": {"en": "{assets", "zh": "-"}}, "reason: after { comes the name of a fact"),
    ({"reason": {"en": "{asset|euro|euros}", "zh": "-"}}, "no fact is called asset; did you mean assets?"),
    ({"may_say": {"en": "{tier|a|b}", "zh": "-"}}, "may_say: tier is text"),
    ({"reason": {"en": "[{tier>=2}]", "zh": "-"}}, "reason: tier is no number"),
    ({"reason": {"en": "[{assets>=-2}]", "zh": "-"}}, "reason: after { comes the name of a fact"),
    ({"kind": "guard", "situation": None}, "blocks: a guard without `blocks`, `wording` and `situation` does nothing"),
    ({"kind": "guard", "blocks": ["guard"]}, "blocks: retention and upsell can be held back"),
    ({"name": {"en": "x"}}, "missing required field `zh`"),
])  # fmt: skip
def test_a_wrong_field_is_named_with_what_is_expected(files: Directories, changes: dict[str, Any], told: str) -> None:
    own(files, "bank.yaml", one_rule(**changes))
    mistake = only(load(files))
    assert told in str(mistake)
    assert mistake.line > 0


def test_all_that_is_wrong_with_the_fields_of_a_rule_is_told_at_once(files: Directories) -> None:
    wrong: dict[str, Any] = {
        "kind": "offer", "situation": "nowhere", "cooldown_days": "soon", "name": {"en": "x"}, "on_": "x",
    }  # fmt: skip
    text = yaml.safe_load(one_rule(**wrong))
    del text["rules"][0]["reason"]
    own(files, "bank.yaml", yaml.safe_dump(text, sort_keys=False))
    told = [(one.field, one.message.partition(";")[0]) for one in load(files).mistakes]
    assert sorted(told) == [
        ("", "Object contains unknown field `on_`"), ("", "Object missing required field `reason`"),
        ("cooldown_days", "a whole number is expected"), ("kind", "Invalid enum value 'offer'"),
        ("name", "Object missing required field `zh`"), ("situation", "Invalid enum value 'nowhere'"),
    ]  # fmt: skip


def test_what_is_no_rule_and_what_is_nothing_of_one_is_told(files: Directories) -> None:
    own(files, "bank.yaml", "rules:\n  - some text\n  - {id: B2}\n")
    assert [(one.line, one.rule, one.message) for one in load(files).mistakes] == [
        (2, "rules[0]", "Expected `object`, got `str`"),
        *((3, "B2", f"Object missing required field `{name}`") for name in ("kind", "name", "reason")),
    ]


def test_what_else_is_wrong_with_two_rules_of_one_id_is_told_as_well(files: Directories) -> None:
    own(files, "bank.yaml", one_rule(id="R4", when=["asets > 1.0"]))
    assert [(one.file, one.field) for one in load(files).mistakes] == [
        ("bank.yaml", "id"), ("retention.yaml", "id"), ("bank.yaml", "when[0]"),
    ]  # fmt: skip


def test_two_rules_with_one_id_are_both_refused_and_each_names_the_other(files: Directories) -> None:
    own(files, "bank.yaml", one_rule(id="R4"))
    loaded = load(files)
    assert [str(one) for one in loaded.mistakes] == [
        f"{one}:2: R4 id: {other}:2 has the same id: a rule replaces the product's in a file of the same name alone"
        for one, other in (("bank.yaml", "retention.yaml"), ("retention.yaml", "bank.yaml"))
    ]  # fmt: skip
    assert loaded.rule_set.rules == ()


def test_a_field_that_is_written_twice_is_refused(files: Directories) -> None:
    own(files, "bank.yaml", SOUND.replace("R4", "B4") + "    kind: upsell\n")
    assert str(only(load(files))) == "bank.yaml:8: kind: is written twice"
    own(files, "bank.yaml", "rules: []\nrules: [1, 2]\n")
    assert str(only(load(files))) == "bank.yaml:2: rules: is written twice"


@pytest.mark.parametrize(("content", "told"), [
    ("a: &a [x, x]\nb: &b [*a, *a]\nrules: [*b, *b]\n", "bank.yaml:1: anchors and aliases are not taken"),
    ("rules:\n  - <<: *base\n", "bank.yaml:2: anchors and aliases are not taken"),
    ("rules: [\n  {id: B1\n", "bank.yaml:3: is no YAML"),
    ("[" * 50_000, "bank.yaml:1: more than 100 levels deep"),
    ("rules: []\n" + "#" * 300_000, "bank.yaml: is larger than 256 KB"),
    ("", "bank.yaml: is empty"),
    ("- id: B1\n", "bank.yaml:1: rules: a list under `rules:` is expected"),
    ("rules: {id: B1}\n", "bank.yaml:1: rules: a list under `rules:` is expected"),
    ("rules: [17]\n", "bank.yaml:1: rules[0]: Expected `object`"),
    ("rules: []\n---\nrules: []\n", "bank.yaml:2: is no YAML"),
    ("rules: [\x00]\n", "bank.yaml:1: cannot be read"),
])  # fmt: skip
def test_a_file_that_explodes_or_is_no_list_of_rules_is_refused(files: Directories, content: str, told: str) -> None:
    own(files, "bank.yaml", content)
    assert str(only(load(files))).startswith(told)


def test_a_file_says_who_changed_it_last_and_else_its_owner_on_this_machine_did(files: Directories) -> None:
    own(files, "bank.yaml", "changed_by: Wang Lei\n" + one_rule())
    own(files, "more.yaml", one_rule(id="B2"))
    loaded = load(files)
    assert not loaded.mistakes
    by_rule = {rule: loaded.authors[file] for rule, file in loaded.files.items()}
    assert (by_rule["B1"], by_rule["B2"]) == ("Wang Lei", files.path("more.yaml").owner())
    own(files, "more.yaml", "changed_by: [Wang, Lei]\n" + one_rule(id="B2"))
    assert str(only(load(files))) == "more.yaml:1: changed_by: a person's name is expected"


@pytest.mark.parametrize(("file", "content"), [("desk.yaml", "daily_capacity: 9\n"), ("labels.yaml", "labels: {}\n")])
def test_who_changed_a_file_without_rules_is_told_as_of_rules(files: Directories, file: str, content: str) -> None:
    own(files, file, "changed_by: Wang Lei\n" + content)
    signed = load(files)
    assert (signed.mistakes, signed.authors[file]) == ([], "Wang Lei")
    own(files, file, content)
    assert load(files).authors[file] == files.path(file).owner()
    own(files, file, content + "changed_by: [Wang, Lei]\n")
    assert str(only(load(files))) == f"{file}:2: changed_by: a person's name is expected"


def test_nothing_is_built_from_a_tag(files: Directories) -> None:
    own(files, "bank.yaml", "rules: [!!python/object/apply:os.getcwd []]\n")
    assert only(load(files)).rule == "rules[0]"


@pytest.mark.parametrize(("content", "field"), [
    ("daily_capacity: 0\n", "daily_capacity"),
    ("capacities: {M-1: -1}\n", "capacities.M-1"),
    ("superiors: {M-1: M-1}\n", "superiors.M-1"),
    ("superiors: {M-1: ''}\n", "superiors.M-1"),
    ("tier_share: {gold: 0}\n", "tier_share.gold"),
    ("remind_at: 120\n", "remind_at"),
    ("unknown_value: {gold: -1}\n", "unknown_value.gold"),
    ("roles: {care: the care team}\n", "roles.care"),
    ("roles: {care: 'queue:'}\n", "roles.care"),
    ("hours: {zone: Asia/Shangai}\n", "hours.zone"),
    ("hours: {opens: 17, closes: 9}\n", "hours"),
    ("hours: {opens: early}\n", "hours.opens"),
    ("roles: {locker: 'queue:lockers'}\n", "roles.locker"),
    ("capacities: {M-1: 3, M-2: many}\n", "capacities.M-2"),
    ("tier_share: {silver: 50}\n", "tier_share.silver"),
    ("unknown_value: {silver: 50}\n", "unknown_value.silver"),
    ("unknown_value: {gold: nan}\n", "unknown_value.gold"),
])  # fmt: skip
def test_a_wrong_desk_is_refused(files: Directories, content: str, field: str) -> None:
    own(files, "desk.yaml", content)
    loaded = load(files)
    mistake = only(loaded)
    assert (mistake.file, mistake.line, mistake.field) == ("desk.yaml", 1, field)
    assert loaded.desk == Desk()


def test_a_banks_own_labels_stand_in_for_those_of_the_product(files: Directories) -> None:
    assert load(files).rule_set.labels == {}
    (files.product / "labels.yaml").write_text(
        "labels: {gold: {en: gold, zh: 金卡}, profit: {en: p, zh: 潜}}\n", encoding="utf-8"
    )
    before = load(files)
    own(files, "labels.yaml", "labels: {gold: {en: premier, zh: 尊享}, small: {en: small, zh: 小}}\n")
    after = load(files)
    assert (before.rule_set.labels["gold"].en, after.rule_set.labels["gold"].en) == ("gold", "premier")
    assert after.rule_set.labels.keys() == {"gold", "profit", "small"}
    assert before.rule_set.version != after.rule_set.version


def test_every_mistake_in_labels_is_told_with_its_line_and_the_label_s_name(files: Directories) -> None:
    own(
        files,
        "labels.yaml",
        """colour: red
# ours
labels:
  gold: {en: gold, zh: 金卡}
  profit: {en: premier}
  general:
    en: general
    zh: 普通
    fr: client
  near: near
""",
    )
    loaded = load(files)
    assert [(one.file, one.line, one.field) for one in loaded.mistakes] == [
        ("labels.yaml", 5, "labels.profit"), ("labels.yaml", 7, "labels.general"), ("labels.yaml", 10, "labels.near"),
        ("labels.yaml", 1, ""),
    ]  # fmt: skip
    missing, unknown, no_text, beside = (one.message for one in loaded.mistakes)
    assert ("`zh`" in missing, "`fr`" in unknown, "`str`" in no_text, "`colour`" in beside) == (True,) * 4
    assert loaded.rule_set.labels == {}
