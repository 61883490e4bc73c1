"""What names a person stands in events as a reference; everything else stays as it was told."""

from typing import Any

import msgspec
import pytest

from schemas.catalogue import load_catalogue
from schemas.events import Counterparty
from services.profile.domain.states.personal import Pseudonymiser, is_reference, reference
from tests.profile.domain.happenings import event
from tests.profile.told import SECRET, refer

TAKES_OUT = Pseudonymiser(load_catalogue(), SECRET)
REGISTERED: dict[str, Any] = {"kind": "person", "name": "Zhang Wei", "birth_date": "1980-05-01"}


def test_what_names_a_person_gives_way_to_references_that_lead_back_to_it() -> None:
    identifiers = {"customer_no": "77", "phone": "+8613912345678", "email": "p_zhang@example.com"}
    sent = event("customer.registered", identifiers=identifiers, attributes=REGISTERED,
                 counterparty=Counterparty(name="Li Na", bank="OTHA"))  # fmt: skip
    kept, values = TAKES_OUT.apply(sent)
    told = ["+8613912345678", "p_zhang@example.com", "Zhang Wei", "Li Na"]
    assert values == {refer(one): one for one in told}
    assert kept == msgspec.structs.replace(
        sent,
        identifiers={"customer_no": "77", "phone": refer(told[0]), "email": refer(told[1])},
        attributes=msgspec.json.encode(REGISTERED | {"name": refer("Zhang Wei")}),
        counterparty=Counterparty(name=refer("Li Na"), bank="OTHA"),
    )


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"identifiers": {"customer_no": "77", "login": "zhang"}}, {"counterparty": Counterparty(bank="OTHA")},
        {"attributes": {"kind": "person", "birth_date": "1980-05-01"}},
    ],
)  # fmt: skip
def test_an_event_that_names_nobody_is_the_one_that_came(fields: dict[str, Any]) -> None:
    sent = event("customer.registered", **fields)
    kept, values = TAKES_OUT.apply(sent)
    assert (kept is sent, values) == (True, {})


def test_a_reference_that_comes_back_and_what_is_no_text_stay_as_they_are() -> None:
    """An event of the timeline is taken up again where a past is lived through again."""
    once = TAKES_OUT.apply(event("customer.registered", identifiers={"phone": "+861"}, attributes=REGISTERED)).event
    assert TAKES_OUT.apply(once) == (once, {})
    untold = event("customer.registered", attributes={"name": "", "address": 17})
    assert TAKES_OUT.apply(untold) == (untold, {})


def test_a_value_is_told_again_with_each_event_however_few_are_remembered() -> None:
    forgetful = Pseudonymiser(load_catalogue(), SECRET, remembered=1)
    for name in ("Zhang Wei", "Zhang Wei", "Li Na", "Zhang Wei"):
        sent = event("transfer.sent", counterparty=Counterparty(name=name))
        assert forgetful.apply(sent).values == {refer(name): name}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Zhang  Wei ", "zhang WEI", True), ("\u5f20 \u4f1f", "\u5f20\u4f1f", True), ("\uff21cme", "acme", True),
        ("D\u2019Arcy Smith\u2010Lee", "d'arcy smith-lee", True), ("Jose\u0301", "Jos\u00e9", True),
        ("Jos\u00e9", "Jose", False), ("Zhang Wei", "ZhangWei", False), ("Zhang Wei", "Zhang Wen", False),
    ],
)  # fmt: skip
def test_names_that_differ_in_typing_alone_have_one_reference(one: str, other: str, same: bool) -> None:
    assert (refer(one) == refer(other)) is same
    assert is_reference(refer(one))
    assert refer(one) != reference(one, b"another secret of thirty-two....")
