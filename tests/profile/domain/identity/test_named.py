"""Whoever searches must make the same subject keys as ingest made of the same values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import KINDS, subject_key
from schemas.issuers import issuer_ranges
from schemas.naming import Naming
from schemas.tokens import TokenKey
from services.failures import Rejected
from services.ingest.domain.naming import admit_identifiers
from services.ingest.domain.rules import Rules
from services.profile.domain.identity.named import subjects_named
from tests.ingest.bank import NAMING, SECRET, UNIONPAY, VISA, rules

ELSEWHERE = Naming(TokenKey(SECRET, ranges=issuer_ranges("51-55:16")), "CZ")
DOORS = [(naming, rules(naming)) for naming in (NAMING, ELSEWHERE)]
VALUES = st.one_of(
    st.sampled_from((VISA, UNIONPAY, "4111 1111 1111 1111", "11010519491231002X", "11010519491231002x", "null", "000")),
    st.sampled_from(("13912345678", "+86 139 1234 5678", "fang@EXAMPLE.org", "6001 0000 0001 7", "card-7K2M9Q")),
    st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    st.text(min_size=1, max_size=24),
    st.builds(str.__add__, st.sampled_from(("A", "A-", "0 ", "9")), st.sampled_from((VISA, UNIONPAY, VISA + "/7"))),
)


@given(kind=st.sampled_from(KINDS), value=VALUES, door=st.sampled_from(DOORS))
def test_a_search_names_the_subject_that_acceptance_named(kind: str, value: str, door: tuple[Naming, Rules]) -> None:
    naming, by = door
    try:
        admitted, _ = admit_identifiers({kind: value}, by)
    except Rejected:
        with pytest.raises(Rejected):
            subjects_named({kind: value}, naming)
        return
    expected = {name: subject_key(name, normal, SECRET) for name, normal in admitted.items()}
    assert subjects_named({kind: value}, naming) == expected


def test_an_unknown_kind_is_refused_without_repeating_it() -> None:
    with pytest.raises(Rejected) as rejected:
        subjects_named({"Wang Fang": "1"}, NAMING)
    assert "Wang" not in rejected.value.message + rejected.value.field
