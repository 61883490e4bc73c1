"""What a refresh says of a customer, and when that differs from what was said before."""

from typing import Any

import msgspec
import pytest

from schemas.asked import Asked
from schemas.changes import GONE, Moment, ProfileChange
from schemas.codec import decode_change
from services.profile.domain.identity.links import Cluster
from services.profile.domain.summarise import summarise
from services.profile.ports.records import StoredView
from services.profile.statement import (
    StoredFacts,
    change_of,
    change_of_gone,
    gone,
    is_news,
    is_same,
    made_by,
    statement_of,
    stored_facts,
)  # fmt: skip
from tests.profile.domain.gathered import ME, POLICY, customer_of
from tests.profile.domain.happenings import NOON, event

ASKED = Asked("7", {})
TOLD = StoredFacts({"assets": 5.0, "tier": "gold"}, ["salary_missed"], ["complaint_open"], ["atm"], [], "1")
SEEN = Moment(moment_id="m", kind="large_debit", occurred_at=1, event_id="e", values={})


def view(body: bytes = b"{}", decided: bytes = b"{}", state: str = "live", **facts: Any) -> StoredView:
    told = msgspec.json.encode(msgspec.structs.replace(TOLD, **facts))
    return StoredView("cus_1", ME, 4, "person", state, NOON, body, told, decided)


def id_of(subject: str) -> str:
    return "cus_1" if subject == ME else f"cus_{subject}"


def change(*subjects: str, roots: tuple[str, ...] = (ME,)) -> ProfileChange:
    customer = customer_of([event("account.opened", subject=one) for one in subjects], roots=roots)
    summary = summarise(customer, POLICY, NOON)
    statement = statement_of(customer, summary, None, NOON, msgspec.structs.replace(POLICY, asked=ASKED))
    return decode_change(change_of(customer, summary, statement, id_of).value)


def test_a_view_is_the_same_while_a_reader_sees_no_difference() -> None:
    assert is_same(view(), view())
    assert is_same(view(), view(values=dict(reversed(TOLD.values.items()))))
    assert is_same(view(), view(asked="2"))


DIFFERENT: list[dict[str, Any]] = [
    {"body": b"[]"}, {"decided": b"[]"}, {"state": GONE}, {"values": {"assets": 5.0}}, {"missing": []},
    {"not_covered": []}, {"unheard": []}, {"moments": [SEEN]},
]  # fmt: skip


@pytest.mark.parametrize("given", DIFFERENT)
def test_whatever_a_reader_sees_makes_a_view_another(given: dict[str, Any]) -> None:
    assert not is_same(view(), view(**given))


@pytest.mark.parametrize("given", [one for one in DIFFERENT if "decided" not in one])
def test_whatever_somebody_could_act_on_is_news(given: dict[str, Any]) -> None:
    assert is_news(view(), view(**given), None)


def test_a_close_that_leaves_everything_as_it_was_is_no_news_and_what_rules_newly_ask_is() -> None:
    assert not is_news(view(), view(), None)
    assert not is_news(view(), view(decided=b"[]", values=dict(reversed(TOLD.values.items()))), None)
    assert is_news(view(), view(asked="2"), None)


def test_a_view_remembers_for_which_questions_its_facts_were_written() -> None:
    customer = customer_of([event("customer.registered", subject=ME)])
    summary = summarise(customer, POLICY, NOON)
    policies = [msgspec.structs.replace(POLICY, asked=one) for one in (ASKED, None)]
    views = [statement_of(customer, summary, None, NOON, one).view for one in policies]
    assert [stored_facts(one).asked for one in views] == ["7", ""]


def test_the_same_facts_by_other_declarations_are_the_same_and_the_view_remembers_by_which() -> None:
    customer = customer_of([event("customer.registered", subject=ME)])
    summary, before = summarise(customer, POLICY, NOON), msgspec.structs.replace(POLICY, version="before")
    one, other = (statement_of(customer, summary, None, NOON, policy).view for policy in (before, POLICY))
    assert (made_by(one), made_by(other)) == ("before", POLICY.version)
    assert is_same(one, other)
    assert not is_news(one, other, None)


def test_a_change_names_all_former_ids_but_its_own_and_whom_people_have_merged() -> None:
    told = change("account:9", "account:8", roots=("party:3", ME, "party:2"))
    assert (told.aliases, told.merged) == (["cus_account:8", "cus_account:9"], ["cus_party:2", "cus_party:3"])


def test_who_is_gone_names_an_heir_and_never_itself() -> None:
    told = [
        decode_change(change_of_gone(view(), Cluster(lead, (lead, ME)), 7, id_of).value) for lead in ("party:0", ME)
    ]
    assert [(one.kind, one.version, one.aliases) for one in told] == [(GONE, 4, ["cus_party:0"]), (GONE, 4, [])]
    assert [one.erased_at for one in told] == [7, 7]


@pytest.mark.parametrize(("before", "version"), [(None, NOON), (4, NOON), (NOON, NOON + 1), (NOON + 9, NOON + 10)])
def test_a_version_is_the_time_it_was_made_and_always_later_than_the_one_before(
    before: int | None, version: int
) -> None:
    customer = customer_of([event("customer.registered", subject=ME)])
    known = None if before is None else msgspec.structs.replace(view(), version=before)
    assert statement_of(customer, summarise(customer, POLICY, NOON), known, NOON, POLICY).view.version == version
    assert known is None or gone(known, NOON).version == version
