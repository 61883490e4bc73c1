"""The catalogue says of every type what it is about, and contradicts itself nowhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.catalogue import CatalogueError, EventType, load_catalogue
from schemas.codec import decode_event, encode_event
from schemas.events import ChannelEvent

ENTRY: dict[str, Any] = {
    "meaning": "A bell rang",
    "channels": ["counter"],
    "subject": ["customer_no"],
    "rank": 50,
    "example": {"identifiers": {"customer_no": "1"}},
}


@pytest.fixture(scope="module")
def catalogue() -> Mapping[str, EventType]:
    return load_catalogue()


def declared(own: Path, **files: Any) -> Mapping[str, EventType]:
    """The catalogue with a bank's own files."""
    for name, content in files.items():
        (own / f"{name}.yaml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return load_catalogue(own)


def broken(own: Path, **changes: Any) -> None:
    """Loads a catalogue with a type that has `changes`."""
    declared(own, attributes={"tone": {"meaning": "Its tone"}}, bells={"bell.rang": {**ENTRY, **changes}})


def test_the_daily_life_of_a_bank_is_covered(catalogue: Mapping[str, EventType]) -> None:
    assert len(catalogue) >= 60
    assert {name.split(".")[0] for name in catalogue} >= {
        "transaction", "cash", "transfer", "card", "fee", "interest", "salary", "standing_order", "direct_debit",
        "bill", "fx", "wealth", "login", "device", "page", "application", "call", "counter", "case", "customer",
        "household", "group", "account", "holder", "loan", "term_deposit", "consent", "life_event", "feedback",
        "manager", "source",
    }  # fmt: skip


def test_creating_comes_before_using_and_using_before_ending(catalogue: Mapping[str, EventType]) -> None:
    life = ("customer.registered", "account.opened", "holder.added", "card.issued", "transaction.posted",
            "transaction.reversed", "card.blocked", "holder.removed", "account.closed")  # fmt: skip
    ranks = [catalogue[name].rank for name in life]
    assert ranks == sorted(set(ranks))


def test_whoever_pays_in_is_linked_to_nothing(catalogue: Mapping[str, EventType]) -> None:
    assert [name for name, type_ in catalogue.items() if type_.group == "money" and type_.asserts] == []


def test_an_opened_account_brings_its_past_and_a_further_holder_does_not(catalogue: Mapping[str, EventType]) -> None:
    opened, added = catalogue["account.opened"].asserts[0], catalogue["holder.added"].asserts[0]
    assert (opened.role, opened.role_attribute, opened.carries_past) == ("owner", "role", True)
    assert (added.role, added.role_attribute, added.carries_past) == ("joint", "role", False)


def test_a_changed_phone_number_ends_the_former(catalogue: Mapping[str, EventType]) -> None:
    ending = [assertion for assertion in catalogue["phone.changed"].asserts if assertion.ends]
    assert [(assertion.subject, assertion.subject_attribute) for assertion in ending] == [("phone", "former_phone")]


def test_free_text_and_what_names_a_person_is_personal(catalogue: Mapping[str, EventType]) -> None:
    sensitive = {"name", "address", "note", "description", "birth_date", "former_phone", "former_address"}
    exposed = {
        (type_.name, attribute.name)
        for type_ in catalogue.values()
        for attribute in type_.attributes
        if attribute.name in sensitive and not attribute.personal
    }
    assert exposed == {("preference.set", "name")}


def test_money_has_a_direction_wherever_it_is_required(catalogue: Mapping[str, EventType]) -> None:
    moving = [type_ for type_ in catalogue.values() if type_.money == "required"]
    assert all(type_.direction for type_ in moving)
    assert all(type_.flow for type_ in moving if not type_.name.startswith("transaction."))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"channels": ["smoke"]}, "smoke is no channel"),
        ({"subject": ["shoe_size"]}, "shoe_size is no identifier kind"),
        ({"optional": ["colour"]}, "attribute colour is not declared"),
        ({"required": ["tone"]}, "the example lacks tone"),
        ({"required": [{"name": "tone"}], "optional": ["tone"]}, "tone"),
        ({"money": "required", "direction": "debit"}, "an amount in the example"),
        ({"money": "sometimes"}, "sometimes"),
        ({"direction": "required"}, "direction"),
        ({"flow": "river"}, "river is no flow"),
        ({"asserts": [{"subject": "hat", "targets": ["customer_no"]}]}, "hat"),
        ({"asserts": [{"subject": "login", "targets": ["customer_no"], "role": "king"}]}, "king is no role"),
        ({"asserts": [{"subject": "login", "targets": ["customer_no"], "role_attribute": "role"}]}, "attribute role"),
        ({"example": {"identifiers": {"login": "x"}}}, "the example names no subject"),
        ({"example": {"identifiers": {"customer_no": "1"}, "attributes": {"hue": 1}}}, "hue of the example"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_contradiction_is_refused_with_file_and_type(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint) as caught:
        broken(tmp_path, **changes)
    assert str(caught.value).startswith(f"{tmp_path}/bells.yaml:1: bell.rang: ")


def test_a_bank_adds_types_and_attributes_of_its_own(tmp_path: Path, catalogue: Mapping[str, EventType]) -> None:
    rang = {**ENTRY, "optional": ["tone", "branch"]}
    found = declared(tmp_path, attributes={"tone": {"meaning": "Its tone", "max_length": 5}}, bells={"bell.rang": rang})
    assert found.keys() - catalogue.keys() == {"bell.rang"}
    bell = found["bell.rang"]
    assert (bell.group, bell.attributes[0].name, bell.attributes[0].max_length) == ("bells", "tone", 5)
    assert {name: found[name] for name in catalogue} == catalogue


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"bells": {"card.issued": ENTRY}}, "bells.yaml:1: card.issued is declared twice"),
        ({"bells": {"bell.rang": ENTRY}, "chimes": {"bell.rang": ENTRY}}, "chimes.yaml:1: bell.rang is declared twice"),
        ({"attributes": {"branch": {"meaning": "Another"}}}, "attributes.yaml:1: branch is declared twice"),
        ({"bells": "bell.rang:\n\t- x"}, "bells.yaml:2: "),
        ({"bells": "bell.rang: {}\n\nbell.rang: {}\n"}, "bells.yaml:3: bell.rang is written twice"),
        ({"bells": "bell.rang: {meaning: A\0}\n"}, "bells.yaml: unacceptable character"),
        ({"bells": "bell.rang:\n  " + "[" * 50_000}, "bells.yaml:2: more than 100 levels deep"),
        ({"bells": "bell.rang:\n" + "- " * 50_000}, "bells.yaml:2: more than 100 levels deep"),
        (
            {"bells": "bell.rang:\n  optional: &a [x]\n  required: *a"},
            "bells.yaml:2: anchors and aliases are not taken",
        ),
        ({"bells": "- bell.rang"}, "bells.yaml: a mapping by name is expected"),
        ({"bells": "bell.rang: 5"}, "bells.yaml:1: bell.rang: "),
        ({"bells": "bell.rang:\n  rank: 1\n  rank: 2"}, "bells.yaml:3: rank is written twice"),
        ({"bells": "2026-13-01: {}"}, "bells.yaml:1: 2026-13-01 is no date"),
        ({"bells": "5: {}"}, "bells.yaml:1: 5: "),
        ({"bells": "on: {}"}, "bells.yaml:1: True: "),
        (
            {"attributes": {"tone": 5}, "bells": {"bell.rang": {**ENTRY, "optional": ["tone"]}}},
            "attributes.yaml:1: tone",
        ),
    ],
)
def test_own_files_take_nothing_from_the_product_and_a_mistake_is_named(
    tmp_path: Path, files: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        declared(tmp_path, **files)
    assert str(caught.value).startswith(f"{tmp_path}/{complaint}")


def test_a_file_that_only_looks_declared_is_named(tmp_path: Path) -> None:
    (tmp_path / "bells.yml").write_text("{}")
    with pytest.raises(CatalogueError, match=r"/bells\.yml is read by nobody: call it bells\.yaml$"):
        load_catalogue(tmp_path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no-such is no directory"):
        load_catalogue(tmp_path / "no-such")


def test_every_type_travels(catalogue: Mapping[str, EventType]) -> None:
    for type_ in catalogue.values():
        event = ChannelEvent(
            id="1",
            type=type_.name,
            source="s",
            channel=type_.channels[0],
            subject="party:1",
            occurred_at=0,
            accepted_at=0,
            identifiers=type_.example["identifiers"],
        )
        assert decode_event(encode_event(event)) == event
