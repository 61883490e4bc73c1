"""Reads what a bank declares about its alerts: rules, labels and the desk. All that is wrong is told at once, with file
and line; what a file may cost is bounded before it is read."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from services.alerts.adapters.file_owners import owner_of
from services.alerts.adapters.shapes import misshapen
from services.alerts.adapters.yaml_lines import Lines, Unreadable, read_lines
from services.alerts.domain.checking import check, check_desk
from services.alerts.domain.compiled import Known, Rule, RuleSet, compile_rule, rule_set
from services.alerts.domain.expressions import BadExpression, Expressions
from services.alerts.domain.rules import Desk, LabelsDeclared, RuleDeclared, Text
from services.alerts.domain.wording import NO_LABELS, Labels
from services.alerts.ports import RuleSwitch
from services.declared_files import Place

PRODUCT = Path(__file__).resolve().parent.parent / "catalogue"
DESK = "desk.yaml"
LABELS = "labels.yaml"
NO_RULES = (DESK, LABELS, "destinations.yaml")
_NAME = re.compile(r"[^\x00-\x1f]{1,100}")
Declared = TypeVar("Declared", bound=msgspec.Struct)


class Mistake(NamedTuple):
    """`line` counts from 1; 0 where the whole file is meant. `rule` is empty for what is no rule's."""

    file: str
    line: int
    rule: str
    field: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = " ".join(part for part in (self.rule, self.field) if part)
        return ": ".join(part for part in (where, what, self.message) if part)


class Loaded(NamedTuple):
    """`rule_set` has the rules without a mistake, `desk` is the ordinary one where the file has some. Where there is a
    mistake, a caller that has a former set keeps that. `files`: rule → its file; `authors`: file → who changed it last;
    `keeper` may remove files."""

    rule_set: RuleSet
    desk: Desk
    mistakes: Sequence[Mistake]
    files: Mapping[str, str]
    authors: Mapping[str, str]
    keeper: str


class _Written(NamedTuple):
    """A rule as a file has it."""

    file: str
    lines: Lines
    declared: RuleDeclared

    @property
    def place(self) -> str:
        return f"{self.file}:{self.lines.line_of('id')}"


def load_rules(files: Place, known: Known, expressions: Expressions, switches: Mapping[str, RuleSwitch]) -> Loaded:
    """`switches`: rule → what a person said of it last. Each one makes another set: who switches a rule on wants it put
    before everybody."""
    loading = _Loading(files, known, expressions)
    rules = [_switched(rule, switches) for rule in loading.rules()]
    desk, labels = loading.desk(), loading.labels()
    version = _version(loading.content, switches)
    whole = rule_set(version, rules, known.at_rest(), labels)
    keeper = owner_of(files.own or files.product)
    return Loaded(whole, desk, loading.mistakes, loading.stand_in, loading.authors, keeper)


def switched(loaded: Loaded, switches: Mapping[str, RuleSwitch]) -> Loaded:
    """The same rules as people have switched them since."""
    rules = [_switched(rule, switches) for rule in loaded.rule_set.rules]
    version = _version([loaded.rule_set.version.encode()], switches)
    return loaded._replace(rule_set=rule_set(version, rules, loaded.rule_set.at_rest, loaded.rule_set.labels))


def _switched(rule: Rule, switches: Mapping[str, RuleSwitch]) -> Rule:
    enabled = switches[rule.id].enabled if rule.id in switches else rule.declared.enabled
    return rule._replace(declared=msgspec.structs.replace(rule.declared, enabled=enabled))


def _version(content: Iterable[bytes], switches: Mapping[str, RuleSwitch]) -> str:
    told = hashlib.sha256(repr(sorted(switches.items())).encode())
    for one in content:
        told.update(hashlib.sha256(one).digest())
    return told.hexdigest()[:12]


def _wrong_labels(file: str, lines: Lines) -> Iterator[Mistake]:
    """One by one: the struct of all would name none of them."""
    for section, labels in lines.members():
        for name, label in labels.members() if section == "labels" else ():
            for field, message in misshapen(label.content, Text):
                place = ".".join(filter(None, (section, name, field)))
                yield Mistake(file, label.line_of(field), "", place, message)


class _Loading:
    """One reading of all files. `content`: their bytes, in order."""

    def __init__(self, files: Place, known: Known, expressions: Expressions) -> None:
        self._files, self._known, self._expressions = files, known, expressions
        self.mistakes: list[Mistake] = []
        self.stand_in: dict[str, str] = {}
        self.authors: dict[str, str] = {}
        self.content: list[bytes] = []

    def rules(self) -> list[Rule]:
        paths = [path for path in self._files.paths() if path.name not in NO_RULES]
        written = [one for path in paths for one in self._written(path)]
        places: dict[str, list[_Written]] = {}
        for one in written:
            places.setdefault(one.declared.id, []).append(one)
        for one in written:
            for other in places[one.declared.id]:
                if other is not one:
                    self._tell(one.file, one.lines, one.declared.id, "id", f"{other.place} has the same id")
        self.stand_in = {one.declared.id: one.file for one in written}
        checked = [(one.declared.id, self._checked(one)) for one in written]
        return [rule for rule_id, rule in checked if rule is not None and len(places[rule_id]) == 1]

    def desk(self) -> Desk:
        path = self._files.path(DESK)
        lines = self._lines(path)
        desk = None if lines is None else self._converted(path.name, lines, "", Desk)
        if lines is None or desk is None:
            return Desk()
        mistakes = list(check_desk(desk))
        for field, message in mistakes:
            self._tell(path.name, lines, "", field, message)
        return Desk() if mistakes else desk

    def labels(self) -> Labels:
        """None where there is no such file: a draft is read alone."""
        path = self._files.path(LABELS)
        lines = self._lines(path) if path.exists() else None
        if lines is None:
            return NO_LABELS
        wrong = list(_wrong_labels(path.name, lines))
        self.mistakes += wrong
        if wrong:  # what is beside them has mistakes of its own
            lines = lines._replace(content={name: one for name, one in lines.content.items() if name != "labels"})
        declared = self._converted(path.name, lines, "", LabelsDeclared)
        return NO_LABELS if wrong or declared is None else declared.labels

    def _written(self, path: Path) -> Iterator[_Written]:
        lines = self._lines(path)
        if lines is None:
            return
        rules = lines.at("rules")
        if (
            not isinstance(lines.content, dict)
            or lines.content.keys() - {"changed_by"} != {"rules"}
            or not isinstance(rules.content, list)
        ):
            said = "a list under `rules:` is expected, and `changed_by:` if you like"
            self.mistakes.append(Mistake(path.name, 1, "", "rules", said))
            return
        author = lines.content.get("changed_by") or owner_of(path)
        if not isinstance(author, str) or not _NAME.fullmatch(author):
            self._tell(path.name, lines, "", "changed_by", "a person's name is expected")
            return
        self.authors[path.name] = author
        for place in range(len(rules.content)):
            rule = rules.at(str(place))
            rule_id = rule.content.get("id", f"rules[{place}]") if isinstance(rule.content, dict) else f"rules[{place}]"
            declared = self._converted(path.name, rule, str(rule_id), RuleDeclared)
            if declared is not None:
                yield _Written(path.name, rule, declared)

    def _checked(self, one: _Written) -> Rule | None:
        try:
            rule = compile_rule(one.declared, self._expressions)
        except BadExpression as error:
            field, _, message = str(error).partition(" ")
            self._tell(one.file, one.lines, one.declared.id, field, message)
            return None
        mistakes = list(check(rule, self._known, self._expressions))
        for field, message in mistakes:
            self._tell(one.file, one.lines, rule.id, field, message)
        return None if mistakes else rule

    def _lines(self, path: Path) -> Lines | None:
        try:
            lines, content = read_lines(path)
        except Unreadable as error:
            self.mistakes.append(Mistake(path.name, error.line, "", "", str(error)))
            return None
        self.content.append(content)
        doubled = [Mistake(path.name, line, "", key, "is written twice") for line, key in lines.twice()]
        self.mistakes += doubled
        return None if doubled else lines

    def _converted(self, file: str, lines: Lines, rule: str, into: type[Declared]) -> Declared | None:
        mistakes = list(misshapen(lines.content, into))
        for field, message in mistakes:
            self._tell(file, lines, rule, field, message)
        return None if mistakes else msgspec.convert(lines.content, into, strict=False)

    def _tell(self, file: str, lines: Lines, rule: str, field: str, message: str) -> None:
        self.mistakes.append(Mistake(file, lines.line_of(field), rule, field, message))
