"""Reads what a bank declares about its alerts: rules, labels and the desk. All that is wrong is told at once, with file
and line; what a file may cost is bounded before it is read."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from services.alerts.adapters.authors import owner_of
from services.alerts.adapters.desk_files import DESK, LABELS, read_desk, read_labels
from services.alerts.adapters.reading import Mistake, Reading
from services.alerts.adapters.yaml_lines import Lines
from services.alerts.domain.checking import check
from services.alerts.domain.compiled import Known, Rule, RuleSet, compile_rule, rule_set
from services.alerts.domain.destinations import DESTINATIONS
from services.alerts.domain.expressions import BadExpression, Expressions
from services.alerts.domain.rules import Desk, RuleDeclared
from services.alerts.ports import RuleSwitch
from services.declared_files import Directories

PRODUCT = Path(__file__).resolve().parent.parent / "catalogue"
NO_RULES = (DESK, LABELS, DESTINATIONS)


class Loaded(NamedTuple):
    """`rule_set` has the rules without a mistake, `desk` is the ordinary one where the file has some. Where there is a
    mistake, a caller that has a former set keeps that. `files`: rule → its file; `authors`: rule, or file → who
    changed it last; `keeper` may remove files."""

    rule_set: RuleSet
    desk: Desk
    mistakes: Sequence[Mistake]
    files: Mapping[str, str]
    authors: Mapping[str, str]
    keeper: str


class _Written(NamedTuple):
    """A rule as a file has it. `author`: who changed the file last."""

    file: str
    author: str
    lines: Lines
    declared: RuleDeclared

    @property
    def line(self) -> int:
        return self.lines.line_of("id")


def _same_id(one: _Written, other: _Written) -> str:
    if one.file == other.file:
        return f"line {other.line} has the same id"
    return f"{other.file}:{other.line} has the same id: a rule replaces the product's in a file of the same name alone"


def load_rules(
    files: Directories, known: Known, expressions: Expressions, switches: Mapping[str, RuleSwitch]
) -> Loaded:
    """`switches`: rule → what a person said of it last. Each one makes another set: who switches a rule on wants it put
    before everybody."""
    loading = _Loading(files, known, expressions)
    rules = [_switched(rule, switches) for rule in loading.rules()]
    layers = files.layers()
    desk, labels = read_desk(layers.get(DESK, ()), loading), read_labels(layers.get(LABELS, ()), loading)
    version = _version(loading.content, switches)
    whole = rule_set(version, rules, known.at_rest(), labels, known.amounts)
    keeper = owner_of(files.own or files.product)
    return Loaded(whole, desk, loading.mistakes, loading.file_of, loading.authors, keeper)


def switched(loaded: Loaded, switches: Mapping[str, RuleSwitch]) -> Loaded:
    """The same rules as people have switched them since."""
    rules = [_switched(rule, switches) for rule in loaded.rule_set.rules]
    version = _version([loaded.rule_set.version.encode()], switches)
    return loaded._replace(rule_set=loaded.rule_set.with_rules(version, rules))


def _switched(rule: Rule, switches: Mapping[str, RuleSwitch]) -> Rule:
    enabled = switches[rule.id].enabled if rule.id in switches else rule.declared.enabled
    return rule._replace(declared=msgspec.structs.replace(rule.declared, enabled=enabled))


def _version(content: Iterable[bytes], switches: Mapping[str, RuleSwitch]) -> str:
    digest = hashlib.sha256(repr(sorted(switches.items())).encode())
    for file in content:
        digest.update(hashlib.sha256(file).digest())
    return digest.hexdigest()[:12]


class _Loading(Reading):
    def __init__(self, files: Directories, known: Known, expressions: Expressions) -> None:
        super().__init__()
        self._files, self._known, self._expressions = files, known, expressions
        self.file_of: dict[str, str] = {}

    def rules(self) -> list[Rule]:
        files = [paths for name, paths in self._files.layers().items() if name not in NO_RULES]
        written = [one for paths in files for one in self._laid(paths)]
        by_id: dict[str, list[_Written]] = {}
        for one in written:
            by_id.setdefault(one.declared.id, []).append(one)
        for one in written:
            for other in by_id[one.declared.id]:
                if other is not one:
                    self.tell(one.file, one.lines, one.declared.id, "id", _same_id(one, other))
        self.file_of = {one.declared.id: one.file for one in written}
        self.authors |= {one.declared.id: one.author for one in written}
        checked = [(one.declared.id, self._checked(one)) for one in written]
        return [rule for rule_id, rule in checked if rule is not None and len(by_id[rule_id]) == 1]

    def _laid(self, paths: Sequence[Path]) -> list[_Written]:
        """A rule of the bank's takes the place of the one of its id in the product's file of that name."""
        laid: list[_Written] = []
        for path in paths:
            own = list(self._written(path))
            ids = {one.declared.id for one in own}
            laid = [*(one for one in laid if one.declared.id not in ids), *own]
        return laid

    def _written(self, path: Path) -> Iterator[_Written]:
        lines = self.signed(path)
        if lines is None:
            return
        rules = lines.at("rules")
        if (
            not isinstance(lines.content, dict)
            or lines.content.keys() != {"rules"}
            or not isinstance(rules.content, list)
        ):
            said = "a list under `rules:` is expected, and `changed_by:` if you like"
            self.mistakes.append(Mistake(path.name, 1, "", "rules", said))
            return
        author = self.authors[path.name]
        for place in range(len(rules.content)):
            rule = rules.at(str(place))
            rule_id = rule.content.get("id", f"rules[{place}]") if isinstance(rule.content, dict) else f"rules[{place}]"
            declared = self.converted(path.name, rule, str(rule_id), RuleDeclared)
            if declared is not None:
                yield _Written(path.name, author, rule, declared)

    def _checked(self, one: _Written) -> Rule | None:
        try:
            rule = compile_rule(one.declared, self._expressions)
        except BadExpression as error:
            field, _, message = str(error).partition(" ")
            self.tell(one.file, one.lines, one.declared.id, field, message)
            return None
        mistakes = list(check(rule, self._known, self._expressions))
        for field, message in mistakes:
            self.tell(one.file, one.lines, rule.id, field, message)
        return None if mistakes else rule
