"""What a bank's file may hold instead of what is wanted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.adapters.shapes import misshapen
from services.alerts.domain.rules import Desk, RuleDeclared

FIELDS = sorted({*Desk.__struct_fields__, *RuleDeclared.__struct_fields__, "gold", "zone", "en", "zh", "colour"})
WRITTEN: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["", "soon", "3", "-1", "2.5", "true", "retention", "leaving", "person"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("into", [Desk, RuleDeclared])
@given(written=WRITTEN)
def test_whatever_is_written_is_told_and_never_ends_who_reads_it(into: type[Any], written: Any) -> None:
    told = list(misshapen(written, into))
    assert len(set(told)) == len(told)
    assert all(message for _, message in told)


def test_of_a_field_that_maps_names_each_wrong_one_is_told_with_what_is_expected() -> None:
    capacities = {"M-1": "many", "M-2": "3", "M-3": []}
    assert list(misshapen({"capacities": capacities, "roles": {"locker": "queue:lockers"}}, Desk)) == [
        ("capacities.M-1", "a whole number is expected"),
        ("capacities.M-3", "a whole number is expected"),
        ("roles.locker", "Invalid enum value 'locker'; one of manager, branch, care is expected"),
    ]
