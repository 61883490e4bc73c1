"""Who belongs to whom is a function of the set of assertions and decisions."""

from functools import reduce
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.identity.links import (
    ANY_ROLE,
    BEGINNING,
    COLLECTIVES,
    END,
    MEMBER,
    TOLD_KEPT,
    Cluster,
    Link,
    Membership,
    bar,
    clusters,
    intervals,
    join,
    kind_of,
    lift,
)
from services.profile.domain.identity.memberships import Graph, cuts_of, roots_of

LIMITS = {"phone": 1, "device": 2}
TARGETS = {
    "card": ("account", "party"), "account": ("party",), "device": ("login", "party"), "login": ("party",),
    "phone": ("party",), "party": ("household",),
}  # fmt: skip
times = st.integers(0, 20)


def assertion(subject: str, target: str, at: int, role: str = "self", **told: object) -> Link:
    plain = {"first_at": at, "told_at": (at,), "source": "core", "event_id": f"e{at}"}
    return Link(subject=subject, target=target, role=role, **(plain | told))  # type: ignore[arg-type] # plain fields


def ending(subject: str, target: str, at: int, role: str = "self") -> Link:
    return assertion(subject, target, at, role, first_at=None, told_at=(), ends=(at,))


@st.composite
def told_links(draw: st.DrawFn) -> Link:
    """Anything that an event may assert or end, or a decision may say, among a few subjects."""
    kind = draw(st.sampled_from(sorted(TARGETS)))
    above = draw(st.sampled_from(TARGETS[kind]))
    subject, target = f"{kind}:{draw(st.integers(1, 2))}", f"{above}:{draw(st.integers(1, 3))}"
    roles = {"party": (MEMBER,), "account": ("owner", "joint", "attorney")}.get(kind, ("self",))
    role, at = draw(st.sampled_from(roles)), draw(times)
    past = draw(st.booleans())
    said = (
        assertion(subject, target, at, role, past=past, source=draw(st.sampled_from(("core", "web")))),
        ending(subject, target, at, role),
        ending(subject, target, at, ANY_ROLE),
        bar(Link(subject=subject, target=target, role=role), f"d{at}", at),
        lift(Link(subject=subject, target=target, role=role), f"d{at}", at),
    )
    return said[draw(st.sampled_from((0, 0, 0, 0, 1, 2, 3, 4)))]


def joined(links: list[Link]) -> list[Link]:
    known: dict[tuple[str, str, str], Link] = {}
    for link in links:
        known[link.key] = join(known[link.key], link) if link.key in known else link
    return list(known.values())


def everything(links: list[Link]) -> dict[str, list[Membership]]:
    graph = Graph(joined(links), LIMITS)
    return {subject: graph.memberships(subject) for subject in sorted({link.subject for link in links})}


same_key = st.lists(told_links(), min_size=3, max_size=3).map(
    lambda links: [msgspec.structs.replace(one, subject="account:1", target="party:1", role="owner") for one in links]
)


@given(same_key)
def test_joining_links_is_commutative_associative_and_idempotent(links: list[Link]) -> None:
    first, second, third = links
    assert join(first, second) == join(second, first)
    assert join(join(first, second), third) == join(first, join(second, third))
    assert join(join(first, second), second) == join(first, second)


@given(st.lists(told_links(), max_size=14), st.randoms(use_true_random=False))
def test_memberships_do_not_depend_on_the_order_of_what_is_told(links: list[Link], chance: object) -> None:
    shuffled = [*links, *links[: len(links) // 3]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # Hypothesis hands a random.Random
    assert everything(shuffled) == everything(links)


@given(st.lists(told_links(), max_size=14))
def test_at_every_moment_a_subject_counts_for_somebody_and_if_for_itself_for_nobody_else(links: list[Link]) -> None:
    for subject, memberships in everything(links).items():
        counting = [one for one in memberships if kind_of(one.root) not in COLLECTIVES]
        assert all(one.from_at < one.until_at for one in memberships)
        for begins, until in pairwise([BEGINNING, *cuts_of(counting), END]) if counting else ():
            roots = {one.root for one in counting if one.from_at <= begins and one.until_at >= until}
            assert roots
            assert subject not in roots or roots == {subject}


def test_at_one_instant_an_end_wins_over_an_assertion() -> None:
    held, ended = assertion("account:1", "party:1", 5), ending("account:1", "party:1", 5)
    assert intervals(join(held, ended)) == []
    since_before = join(assertion("account:1", "party:1", 1), held)
    assert intervals(join(since_before, ended)) == [(1, 5)]


def test_a_link_holds_again_after_an_end_however_often_it_was_told_before() -> None:
    told = [assertion("device:1", "login:1", 10 * day) for day in range(2 * TOLD_KEPT)]
    last = told[-1].told_at[0]
    assert intervals(reduce(join, [*told, ending("device:1", "login:1", last - 5)])) == [(0, last - 5), (last, END)]


def test_the_later_decision_on_a_link_stands_although_its_clock_was_behind() -> None:
    link = assertion("account:1", "party:1", 1)
    barred = join(link, bar(link, "d1", 9))
    lifted = join(barred, lift(barred, "d2", 5))
    assert (barred.barred, lifted.barred) == (True, False)
    assert join(lifted, bar(lifted, "d3", 3)).barred


@given(st.lists(told_links(), max_size=14))
def test_roots_are_all_that_must_be_refreshed(links: list[Link]) -> None:
    for subject, memberships in everything(links).items():
        roots = roots_of(subject, memberships)
        assert roots == sorted(set(roots))
        assert {one.root for one in memberships} <= set(roots)
        assert any(kind_of(root) not in COLLECTIVES for root in roots)


@given(st.lists(told_links(), max_size=14), st.integers(21, 30))
def test_a_decision_taken_back_is_as_if_it_had_never_been(links: list[Link], at: int) -> None:
    known = [link for link in links if not link.barred_by]
    undone = [said for link in known for said in (lift(link, "d", at + 1), bar(link, "d", at))]
    assert {name: found for name, found in everything([*known, *undone]).items() if found} == {
        name: found for name, found in everything(known).items() if found
    }


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ([assertion("account:1", "party:1", 5)], [(5, END)]),
        ([assertion("account:1", "party:1", 5, past=True)], [(BEGINNING, END)]),
        ([ending("account:1", "party:1", 5)], []),
        ([assertion("account:1", "party:1", 5), ending("account:1", "party:1", 9)], [(5, 9)]),
        ([assertion("account:1", "party:1", 5), ending("account:1", "party:1", 3)], [(5, END)]),
        ([assertion("account:1", "party:1", 5, past=True), ending("account:1", "party:1", 9)], [(BEGINNING, 9)]),
        ([*(assertion("account:1", "party:1", at) for at in (5, 12, 15)), ending("account:1", "party:1", 9)],
         [(5, 9), (12, END)]),
        ([*(assertion("account:1", "party:1", at) for at in (5, 12)),
          *(ending("account:1", "party:1", at) for at in (9, 10, 14))], [(5, 9), (12, 14)]),
    ],
)  # fmt: skip
def test_a_link_holds_from_an_assertion_to_the_next_end(told: list[Link], held: list[tuple[int, int]]) -> None:
    assert intervals(reduce(join, told)) == held


def test_a_card_counts_for_the_holder_of_its_account() -> None:
    found = everything([assertion("card:1", "account:1", 3), assertion("account:1", "party:1", 5, "owner", past=True)])
    assert found["card:1"] == [
        Membership("card:1", "card:1", "self", BEGINNING, 3), Membership("party:1", "card:1", "owner", 3, END),
    ]  # fmt: skip


def test_the_weakest_role_on_the_way_stands() -> None:
    links = [
        assertion("card:1", "account:1", 3, past=True),
        assertion("account:1", "party:1", 5, "attorney", past=True),
    ]
    assert everything(links)["card:1"] == [Membership("party:1", "card:1", "attorney", BEGINNING, END)]


def test_an_account_whose_last_holder_has_left_stands_for_itself() -> None:
    links = [assertion("account:1", "party:1", 5, "owner", past=True), ending("account:1", "party:1", 9, ANY_ROLE)]
    assert everything(links)["account:1"] == [
        Membership("account:1", "account:1", "self", 9, END), Membership("party:1", "account:1", "owner", BEGINNING, 9),
    ]  # fmt: skip


def test_an_account_of_which_one_holder_has_left_never_stands_for_itself() -> None:
    owned = assertion("account:1", "party:1", 1, "owner", past=True)
    joint = [assertion("account:1", "party:2", 5, "joint"), ending("account:1", "party:2", 9, "joint")]
    assert everything([owned, *joint])["account:1"] == [
        Membership("party:1", "account:1", "owner", BEGINNING, END), Membership("party:2", "account:1", "joint", 5, 9),
    ]  # fmt: skip


def test_a_phone_of_two_people_identifies_nobody_until_one_of_them_gives_it_up() -> None:
    shared = [assertion("phone:1", "party:1", 1), assertion("phone:1", "party:2", 8)]
    assert everything(shared)["phone:1"] == []
    given_up = everything([*shared, ending("phone:1", "party:1", 8)])["phone:1"]
    assert given_up == [
        Membership("party:1", "phone:1", "self", 1, 8), Membership("party:2", "phone:1", "self", 8, END),
        Membership("phone:1", "phone:1", "self", BEGINNING, 1),
    ]  # fmt: skip


def test_what_hangs_on_a_shared_device_is_kept_from_everybody() -> None:
    parties = [assertion("device:1", f"party:{number}", 1, past=True) for number in (1, 2, 3)]
    assert len(everything(parties[:2])["device:1"]) == 2
    assert everything(parties)["device:1"] == []


def test_a_household_has_the_subjects_of_its_members() -> None:
    links = [assertion("account:1", "party:1", 5, "owner", past=True), assertion("party:1", "household:1", 7, MEMBER)]
    found = everything(links)
    assert found["party:1"] == [Membership("household:1", "party:1", "self", 7, END)]
    assert found["account:1"] == [
        Membership("household:1", "account:1", "owner", 7, END),
        Membership("party:1", "account:1", "owner", BEGINNING, END),
    ]
    assert roots_of("party:1", found["party:1"]) == ["household:1", "party:1"]


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 8)), max_size=10), st.randoms(use_true_random=False))
def test_merged_roots_are_led_by_the_strongest_then_smallest(pairs: list[tuple[int, int]], chance: object) -> None:
    merges = [(_root(left), _root(right)) for left, right in pairs]
    found = clusters(merges)
    for cluster in found:
        assert cluster.lead == cluster.roots[0]
    turned = [(right, left) for left, right in merges]
    chance.shuffle(turned)  # type: ignore[attr-defined] # Hypothesis hands a random.Random
    assert clusters(turned) == found
    assert sorted(root for cluster in found for root in cluster.roots) == sorted(
        {root for pair in merges for root in pair}
    )


def _root(number: int) -> str:
    return f"party:{number}" if number < 6 else f"account:{number}"


def test_a_party_leads_an_account() -> None:
    assert clusters([("account:1", "party:9")]) == [Cluster("party:9", ("party:9", "account:1"))]
