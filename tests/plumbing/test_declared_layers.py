"""A bank's own file laid over the product's: entry by entry, and nothing else is touched."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.declared_layers import changes, laid_over, traced

NAMED_BY = {"things": "name", "file.yaml": "name"}
NAMES = st.sampled_from("abcdef")
ENTRIES = st.lists(st.fixed_dictionaries({"name": NAMES, "size": st.integers(0, 9)}), max_size=6)
FILES = st.fixed_dictionaries(
    {}, optional={"things": ENTRIES, "plain": st.lists(st.integers(0, 9)), "limit": st.integers(0, 9)}
)
NESTED = st.dictionaries(NAMES, FILES, max_size=3)


def laid(product: Any, own: Any) -> Any:
    return laid_over(product, own, NAMED_BY, "file.yaml")


@given(NESTED, NESTED)
def test_what_the_bank_does_not_name_stays_as_it_was(product: Any, own: Any) -> None:
    before, result = deepcopy((product, own)), laid(product, own)
    assert (product, own) == before
    for kind, file in product.items():
        said = own.get(kind, {})
        for key in file.keys() - said.keys():
            assert result[kind][key] == file[key]
        named = {one["name"] for one in said.get("things", ())}
        assert [one for one in file.get("things", ()) if one["name"] not in named] == [
            one for one in result[kind].get("things", ()) if one["name"] not in named
        ]


@given(NESTED, NESTED)
def test_what_the_bank_says_holds_and_says_it_once(product: Any, own: Any) -> None:
    result = laid(product, own)
    for kind, file in own.items():
        for key in file.keys() - {"things"}:
            assert result[kind][key] == file[key]
        for name in {one["name"] for one in file.get("things", ())}:
            assert [one for one in result[kind]["things"] if one["name"] == name] == [
                one for one in file["things"] if one["name"] == name
            ]


@given(NESTED, NESTED)
def test_laying_over_once_more_changes_nothing_and_neither_does_laying_nothing(product: Any, own: Any) -> None:
    result, again = laid(product, own), laid(laid(product, own), own)
    for file in (*result.values(), *again.values()):
        file.get("things", []).sort(key=lambda entry: entry["name"])
    assert again == result
    assert laid(product, {}) == product
    assert laid({}, own) == own


def test_an_entry_stands_where_that_which_it_replaces_stood_and_a_new_one_at_the_end() -> None:
    product = [{"name": "a"}, {"name": "b"}, {"name": "a", "more": 1}, {"name": "c"}]
    own = [{"name": "d"}, {"name": "a", "size": 2}, {"name": "a", "size": 3}]
    told = laid(product, own)
    assert told == [
        {"name": "a", "size": 2}, {"name": "a", "size": 3}, {"name": "b"}, {"name": "c"}, {"name": "d"},
    ]  # fmt: skip


@given(ENTRIES, ENTRIES)
def test_each_entry_of_the_bank_is_found_where_the_bank_wrote_it(product: Any, own: Any) -> None:
    result = laid({"things": product}, {"things": own})
    for place, entry in enumerate(result["things"]):
        mine, told = traced(result, {"things": own}, ["things", place, "size"], NAMED_BY, "file.yaml")
        assert told == ["things", entry["name"], "size"]
        if any(one is entry for one in own):
            assert own[int(str(mine[1]))] is entry
        else:
            assert mine == ["things"]


def test_a_step_that_leads_nowhere_is_told_and_not_followed() -> None:
    own = {"limit": 1}
    assert traced(laid({}, own), own, ["things", 7, "size"], NAMED_BY, "file.yaml") == ([], ["things", "7", "size"])


@pytest.mark.parametrize(("product", "own"), [
    ({"limit": 1}, [{"name": "a"}]), ([{"name": "a"}], {"limit": 1}), ({"limit": 1}, 7), ("text", {"limit": 1}),
])  # fmt: skip
def test_what_is_of_another_kind_is_laid_as_it_is_for_its_reader_to_refuse(product: Any, own: Any) -> None:
    assert laid(product, own) == own
    assert laid({"things": product}, {"things": own}) == {"things": own}
    assert list(changes({"things": product}, {"things": own}, NAMED_BY, "file.yaml")) == [("things", True)]


def test_an_entry_that_is_none_has_no_name_and_takes_no_place() -> None:
    assert laid([{"name": "a"}], [7, {"name": "a", "size": 1}]) == [{"name": "a", "size": 1}, 7]


def test_what_is_added_and_what_is_replaced_is_told_by_name() -> None:
    product = {"person": {"things": [{"name": "a"}], "limit": 1, "plain": [1]}}
    own = {"person": {"things": [{"name": "b"}, {"name": "a"}], "limit": 2}, "company": {"limit": 3}}
    assert list(changes(product, own, NAMED_BY, "file.yaml")) == [
        ("person.things.b", False), ("person.things.a", True), ("person.limit", True), ("company", False),
    ]  # fmt: skip
