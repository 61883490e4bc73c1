"""Two customer numbers with one identifier: when that is a case for a person; and the decisions on a link."""

from functools import reduce

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.identity.links import ANY_ROLE, Link, bar, intervals, join, lift
from services.profile.domain.identity.memberships import Graph
from services.profile.domain.identity.reviews import ReviewCase, review_cases

LIMITS = {"national_id": 2, "email": 2, "phone": 4}


def told(subject: str, party: str) -> Link:
    return Link(subject=subject, target=f"party:{party}", role="self", first_at=1, told_at=(1,))


def ended(subject: str, party: str) -> Link:
    return Link(subject=subject, target=f"party:{party}", role=ANY_ROLE, ends=(5,))


def cases(*links: Link) -> list[ReviewCase]:
    return review_cases({link.subject for link in links}, Graph(links, LIMITS))


def test_the_same_national_id_of_two_numbers_is_a_case() -> None:
    assert cases(told("national_id:x", "1"), told("national_id:x", "2")) == [
        ReviewCase("party:1", "party:2", "national_id:x")
    ]


def test_a_phone_that_has_a_new_owner_is_no_case() -> None:
    links = [told("phone:x", "1"), ended("phone:x", "1"), told("phone:x", "2")]
    assert [cases(*order) for order in (links, links[::-1])] == [[], []]


def test_above_its_limit_an_identifier_tells_nothing() -> None:
    assert cases(*(told("national_id:x", party) for party in "123")) == []


def test_a_device_or_an_account_tells_nothing() -> None:
    assert cases(*(told(subject, party) for subject in ("device:x", "account:x") for party in "12")) == []


def test_only_customer_numbers_can_be_one_person() -> None:
    logins = [msgspec.structs.replace(told("phone:x", name), target=f"login:{name}") for name in "12"]
    assert cases(*logins, told("phone:x", "1")) == []


@pytest.mark.parametrize(("less", "more"), [("email:a", "national_id:b"), ("phone:a", "email:b")])
def test_a_pair_is_one_case_by_what_is_most_telling(less: str, more: str) -> None:
    shared = [told(subject, party) for subject in (less, more) for party in "12"]
    assert [case.shared for case in cases(*shared)] == [more]
    assert len({case.decision_id for case in (*cases(*shared), *cases(*shared[:2]))}) == 1


@given(st.permutations([told("phone:x", party) for party in "1234"]))
def test_whoever_is_told_of_last_is_a_case_with_each_of_the_others(links: list[Link]) -> None:
    met = {case for count in range(len(links)) for case in cases(*links[: count + 1])}
    assert met == set(cases(*links))
    assert len(met) == 6


@given(st.permutations([told(f"phone:{phone}", party) for phone in "ab" for party in "123"]))
def test_cases_do_not_depend_on_the_order_of_links(links: list[Link]) -> None:
    found = cases(*links)
    assert [(one.left, one.right) for one in found] == [
        ("party:1", "party:2"), ("party:1", "party:3"), ("party:2", "party:3"),
    ]  # fmt: skip
    assert found == cases(*sorted(links, key=lambda link: link.key))


def test_a_barred_link_is_out_of_force_until_it_is_lifted_whatever_the_clocks_say() -> None:
    link = told("device:x", "1")
    barred = join(link, bar(link, "dec_b", 1_000))
    assert intervals(barred) == []
    lifted = join(barred, lift(barred, "dec_a", 10))
    assert intervals(lifted) == intervals(link)
    assert intervals(join(lifted, bar(lifted, "dec_0", 10))) == []


@given(st.permutations(range(4)))
def test_the_latest_decision_stands_in_whatever_order_they_come(order: list[int]) -> None:
    link = told("device:x", "1")
    first = bar(link, "dec_1", 10)
    second = lift(join(link, first), "dec_2", 20)
    third = bar(join(link, second), "dec_3", 30)
    said = [link, first, second, third]
    assert reduce(join, [said[place] for place in order]) == reduce(join, said)
    assert intervals(reduce(join, said)) == []
