"""Reads the catalogue's YAML and refuses it, naming file and type, when it contradicts itself."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from schemas.catalogue.types import Assertion, Attribute, EventType
from schemas.identifiers import KINDS
from schemas.plain_yaml import entries

CHANNELS = ("counter", "atm", "online", "mobile", "call_center", "pos", "wechat", "corebank")
ROLES = ("self", "owner", "joint", "attorney", "signatory", "guardian", "member")
FLOWS = (
    "cash", "transfer", "card", "fee", "interest", "penalty", "salary", "pension", "standing_order", "direct_debit",
    "bill", "household_payment", "insurance", "loan_payment", "fx", "wealth", "other",
)  # fmt: skip
GROUPS = (
    "money", "mandates", "sessions", "interest", "contacts", "cases", "parties", "holdings", "consents", "relation",
    "operations",
)  # fmt: skip
ATTRIBUTES = "attributes.yaml"
EXAMPLE_TIME = "2026-11-22T09:30:00+08:00"


class CatalogueError(ValueError):
    """The catalogue contradicts itself: the message names file, type and mistake."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One type as written in a YAML file; attributes are named, or narrowed by a mapping."""

    meaning: str
    channels: tuple[str, ...]
    subject: tuple[str, ...]
    rank: int
    example: dict[str, Any]
    money: str = "none"
    direction: str | None = None
    flow: str | None = None
    urgent: bool = False
    reversible: bool = False
    asserts: tuple[Assertion, ...] = ()
    required: tuple[str | dict[str, Any], ...] = ()
    optional: tuple[str | dict[str, Any], ...] = ()


def load_catalogue(own: str | Path = "") -> Mapping[str, EventType]:
    """Every event type by name, validated. `own`: a directory with a bank's own types, beside the product's, and their
    attributes in an `attributes.yaml` of its own. Reads files: call it once and pass the result on. Raises
    CatalogueError."""
    product = files("schemas.catalogue")
    attributes = [_File("catalogue/", product.joinpath(ATTRIBUTES))]
    groups = [_File("catalogue/", product.joinpath(f"{group}.yaml")) for group in GROUPS]
    if own:
        directory = Path(own)
        if not directory.is_dir():
            raise CatalogueError(f"{own} is no directory")
        for path in sorted(directory.glob("[!.]*.yml")):
            raise CatalogueError(f"{path} is read by nobody: call it {path.stem}.yaml")
        for path in sorted(directory.glob("[!.]*.yaml")):
            (attributes if path.name == ATTRIBUTES else groups).append(_File(f"{own}/", path))
    known = {name: raw for _, _, name, raw in _declared(attributes)}
    types = {}
    for place, group, name, raw in _declared(groups):
        try:
            types[name] = _event_type(name, group, raw, known)
        except (msgspec.ValidationError, CatalogueError) as error:
            raise CatalogueError(f"{place}: {name}: {error}") from error
    return types


class _File(NamedTuple):
    directory: str
    path: Traversable | Path

    @property
    def place(self) -> str:
        return f"{self.directory}{self.path.name}"


def _declared(some: Iterable[_File]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """What the files say under which name, each name once: file and line, the file's own name, name, content."""
    seen: set[str] = set()
    for file in some:
        content, lines = _read(file)
        for name, raw in content.items():
            place = f"{file.place}:{lines.get(str(name), 1)}"
            if name in seen:
                raise CatalogueError(f"{place}: {name} is declared twice")
            if not isinstance(raw, dict):
                raise CatalogueError(f"{place}: {name}: a mapping is expected")
            seen.add(name)
            yield place, file.path.name.removesuffix(".yaml"), name, raw


def _read(file: _File) -> tuple[dict[str, Any], Mapping[str, int]]:
    try:
        content, lines = entries(file.path.read_bytes())
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CatalogueError(f"{file.place}{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise CatalogueError(f"{file.place}: {error}") from error
    if not isinstance(content, dict):
        raise CatalogueError(f"{file.place}: a mapping by name is expected")
    return content, lines


def _event_type(name: str, group: str, raw: object, known: Mapping[str, Any]) -> EventType:
    entry = msgspec.convert(raw, _Entry)
    attributes = tuple(_attributes(entry, known))
    example = {"id": f"{name}-0001", "type": name, "occurred_at": EXAMPLE_TIME, "identifiers": {}, **entry.example}
    event_type = msgspec.convert(
        {
            **{field: getattr(entry, field) for field in _SHARED},
            "name": name,
            "group": group,
            "attributes": attributes,
            "example": example,
        },
        EventType,
    )
    mistake = next(_mistakes(event_type), None)
    if mistake:
        raise CatalogueError(mistake)
    return event_type


_SHARED = ("meaning", "channels", "subject", "rank", "money", "direction", "flow", "urgent", "reversible", "asserts")


def _attributes(entry: _Entry, known: Mapping[str, Any]) -> Iterator[Attribute]:
    for required, names in ((True, entry.required), (False, entry.optional)):
        for item in names:
            changes = {"name": item} if isinstance(item, str) else item
            if changes.get("name") not in known:
                raise CatalogueError(f"attribute {changes.get('name')} is not declared in attributes.yaml")
            yield msgspec.convert({**known[changes["name"]], **changes, "required": required}, Attribute)


def _mistakes(event_type: EventType) -> Iterator[str]:
    attributes = [attribute.name for attribute in event_type.attributes]
    for channel in event_type.channels:
        if channel not in CHANNELS:
            yield f"{channel} is no channel: known are {', '.join(CHANNELS)}"
    for kind in event_type.subject:
        if kind not in KINDS:
            yield f"{kind} is no identifier kind: known are {', '.join(KINDS)}"
    for name in attributes:
        if attributes.count(name) > 1:
            yield f"attribute {name} is named twice"
    if event_type.flow is not None and event_type.flow not in FLOWS:
        yield f"{event_type.flow} is no flow"
    yield from _example_mistakes(event_type)
    for assertion in event_type.asserts:
        yield from _assertion_mistakes(assertion, attributes)


def _example_mistakes(event_type: EventType) -> Iterator[str]:
    example, allowed = event_type.example, {attribute.name for attribute in event_type.attributes}
    given = example.get("attributes", {})
    for kind in example["identifiers"]:
        if kind not in KINDS:
            yield f"{kind} in the example is no identifier kind"
    for name in given:
        if name not in allowed:
            yield f"attribute {name} of the example is not allowed"
    for attribute in event_type.attributes:
        if attribute.required and attribute.name not in given:
            yield f"the example lacks {attribute.name}"
    if event_type.subject and not any(kind in example["identifiers"] for kind in event_type.subject):
        yield "the example names no subject"
    if event_type.money == "required" and not (event_type.direction and "amount" in example):
        yield "money needs a direction, and an amount in the example"
    if (event_type.direction == "required") != ("direction" in example):
        yield "the example must give a direction exactly where the type leaves it open"


def _assertion_mistakes(assertion: Assertion, attributes: list[str]) -> Iterator[str]:
    for kind in (assertion.subject, *assertion.targets):
        if kind not in KINDS:
            yield f"asserts an unknown identifier kind {kind}"
    if assertion.role not in ROLES:
        yield f"{assertion.role} is no role"
    for attribute in (assertion.role_attribute, assertion.subject_attribute):
        if attribute is not None and attribute not in attributes:
            yield f"asserts by the attribute {attribute}, which it does not have"
