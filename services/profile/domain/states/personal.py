"""Takes personal values out of an event; states and timeline hold references to them.

A reference is a keyed hash of the value in normal form, so two events that name the same person can be compared without
knowing the name. A personal date stays: it says nothing without its person, and ages are computed from it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.events import ChannelEvent
from schemas.identifiers import PERSONAL_KINDS, keyed_hash

_REFERENCE = re.compile("p_[0-9a-f]{32}")
_HAN = r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_BETWEEN_HAN = re.compile(f"(?<={_HAN}) (?={_HAN})")
_TYPED_ALIKE = str.maketrans("\u2018\u2019\u02bc\u2010\u2013\u2014", "'''---")  # apostrophes, hyphens, dashes


class Pseudonymised(NamedTuple):
    """The event without personal values, and reference → clear value."""

    event: ChannelEvent
    values: dict[str, str]


def reference(value: str, secret: bytes) -> str:
    return f"p_{keyed_hash(secret, 'personal', normal_form(value))}"


def is_reference(value: str) -> bool:
    """Its form alone: an e-mail address may begin like one."""
    return _REFERENCE.fullmatch(value) is not None


def is_erased(event: ChannelEvent, erased_at: int) -> bool:
    """Whether what an event told of persons is gone with its subject, which was erased then (ms, 0 for never): it
    happened before, or the bank heard of it before. So neither what comes late nor what comes again brings it back."""
    return erased_at > 0 and min(event.occurred_at, event.accepted_at) <= erased_at


def normal_form(value: str) -> str:
    """Removes what does not make two names different: case, white space (between Chinese characters, all of it), full
    width, Unicode forms of accents, variants of apostrophes and hyphens. Accents themselves stay: they do make names
    different."""
    composed = unicodedata.normalize("NFKC", value).translate(_TYPED_ALIKE)
    return _BETWEEN_HAN.sub("", " ".join(composed.split())).casefold()


class Pseudonymiser:
    """`references` are remembered up to a bound: the same employers and shops come again and again."""

    def __init__(self, catalogue: Mapping[str, EventType], secret: bytes, remembered: int = 50_000) -> None:
        self._secret, self._remembered = secret, remembered
        self._known: dict[str, str] = {}
        self._personal = {
            name: frozenset(one.name for one in declared.attributes if one.personal and one.type == "string")
            for name, declared in catalogue.items()
        }

    def apply(self, event: ChannelEvent) -> Pseudonymised:
        values: dict[str, str] = {}
        changes: dict[str, Any] = {}
        if event.counterparty is not None and event.counterparty.name:
            name = self._refer(event.counterparty.name, values)
            changes["counterparty"] = msgspec.structs.replace(event.counterparty, name=name)
        if not PERSONAL_KINDS.isdisjoint(event.identifiers):
            changes["identifiers"] = {
                kind: self._refer(value, values) if kind in PERSONAL_KINDS else value
                for kind, value in event.identifiers.items()
            }
        if event.attributes != b"{}" and (personal := self._personal.get(event.type)):
            attributes = msgspec.json.decode(event.attributes, type=dict[str, Any])
            if not personal.isdisjoint(attributes):
                replaced = {k: self._refer(v, values) if k in personal else v for k, v in attributes.items()}
                changes["attributes"] = msgspec.json.encode(replaced)
        return Pseudonymised(msgspec.structs.replace(event, **changes) if changes else event, values)

    def _refer(self, value: Any, values: dict[str, str]) -> Any:
        if not isinstance(value, str) or not value or is_reference(value):
            return value
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= self._remembered:
                self._known.clear()
            known = self._known[value] = reference(value, self._secret)
        values[known] = value
        return known
