"""Each rule as it stood from a time on, and who made it so: what raised an alert can be read although the rule has
changed since. The same of the files beside the rules, such as the desk."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec

from services.alerts.domain.compiled import RuleSet
from services.alerts.domain.rules import RuleDeclared
from services.alerts.domain.terms import Changed

Change = Literal["added", "changed", "removed", "switched_on", "switched_off"]

Settings = Mapping[str, Any]
"""What a file without rules says: of desk, labels or destinations, in plain values."""
NO_FILES: Mapping[str, Settings] = MappingProxyType({})


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """Of `rule` since `at` (ms), until its next one. `rule_set`: version of the whole set. `declared`: None where it is
    no more. `file`: in which it stands, or stood. `note`: a person's own words. Without `rule` it is of a file without
    rules, and `settings` is what that says."""

    rule: str
    change: Change
    at: int
    actor: str
    rule_set: str
    note: str = ""
    file: str = ""
    declared: RuleDeclared | None = None
    settings: Settings | None = None

    @property
    def name(self) -> str:
        """Of the rule, or of the file."""
        return self.rule or self.file


class Signed(NamedTuple):
    """Who answers for a change, and why."""

    actor: str
    note: str = ""


class Signatures(NamedTuple):
    """Of those who changed files, and of those who switched rules. `files`: rule → its file; `authors`: by
    rule, and by file for one that is gone; `keeper` may remove a file."""

    files: Mapping[str, str]
    authors: Mapping[str, str]
    keeper: str
    switches: Mapping[str, Signed]

    def author(self, rule: str, file: str) -> str:
        return self.authors.get(rule) or self.authors.get(file, self.keeper)


def silenced(newest: Iterable[Edition], rules: RuleSet) -> dict[str, str]:
    """Rule → why it says nothing any more, of those that `rules` do not judge; `newest`: the newest edition of each."""
    judged = {rule.id for rule in rules.rules if rule.declared.enabled}
    silent = dict[str, str]()
    for one in newest:
        if one.rule and one.rule not in judged and (one.declared is None or not one.declared.enabled):
            done = "removed" if one.declared is None else "switched off"
            silent[one.rule] = f"{one.rule} was {done} by {one.actor}" + (f": {one.note}" if one.note else "")
    return silent


def redefined(newest: Iterable[Edition]) -> dict[str, Changed]:
    """Rules that were changed last, neither added nor switched: what they said before, they may not say now."""
    return {one.rule: Changed(one.at, one.actor) for one in newest if one.rule and one.change == "changed"}


def new_editions(stood: Iterable[Edition], rules: RuleSet, signatures: Signatures, now: int) -> list[Edition]:
    """What is another way than it `stood`, the newest edition of each rule."""
    was = {one.rule: one for one in stood if one.declared is not None}
    found = list[Edition]()
    for rule in rules.rules:
        former, declared, file = was.pop(rule.id, None), rule.declared, signatures.files.get(rule.id, "")
        before = former.declared if former else None
        if before != declared:
            change = _change(before, declared)
            signed = Signed(signatures.author(rule.id, file))
            if change in ("switched_on", "switched_off"):
                signed = signatures.switches.get(rule.id, signed)
            found.append(Edition(
                rule=rule.id, change=change, at=now, actor=signed.actor, note=signed.note, rule_set=rules.version,
                file=file, declared=declared,
            ))  # fmt: skip
    gone = [
        Edition(
            rule=rule, change="removed", at=now, actor=signatures.author(rule, one.file), rule_set=rules.version,
            file=one.file,
        )
        for rule, one in sorted(was.items())
    ]  # fmt: skip
    return found + gone


def new_settings(
    stood: Iterable[Edition], files: Mapping[str, Settings], authors: Mapping[str, str], rule_set: str, now: int
) -> list[Edition]:
    """Of files without rules that say something else than they did."""
    was = {one.file: one.settings for one in stood if not one.rule}
    return [
        Edition(
            rule="", change="changed" if file in was else "added", at=now, actor=authors[file], rule_set=rule_set,
            file=file, settings=settings,
        )
        for file, settings in files.items() if was.get(file) != settings
    ]  # fmt: skip


def _change(before: RuleDeclared | None, now: RuleDeclared) -> Change:
    if before is None:
        return "added"
    if msgspec.structs.replace(before, enabled=now.enabled) != now:
        return "changed"
    return "switched_on" if now.enabled else "switched_off"
