"""What has aged out of the timeline is laid beneath a past, as it was told by then."""

import msgspec
import pytest

from schemas.instants import DAY_MS
from services.cli.refusals import Refusal
from services.cli.rules.aged_past import NOTHING_AGED, AgedPast, lay_beneath
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.domain.identity.links import Link
from services.profile.domain.states.base import Piece, encode_base
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.domain.states.state import State
from services.profile.ports.records import BaseRow
from tests.ports.profile_stores import alias_of
from tests.profile.told import NOW, new_fold

MONTH = month_of(NOW)
BEGINS = first_day_of(MONTH) * DAY_MS
OWNED = Link(
    subject="account:1", target="party:7", role="owner", first_at=BEGINS - 9, told_at=(BEGINS - 9, BEGINS - 1, BEGINS),
    ends=(BEGINS - 5, BEGINS + 5), barred_by="000000000000005/dec_1", source="core", event_id="e-1",
)  # fmt: skip
LATER = msgspec.structs.replace(OWNED, role="joint", first_at=BEGINS, told_at=(BEGINS,), ends=())
ENDED = msgspec.structs.replace(LATER, role="signatory", ends=(BEGINS - 1,))


async def store_with(version: int, *links: Link) -> MemoryProfileStore:
    store = MemoryProfileStore(alias_of)
    async with store.updating() as tx:
        for subject, at in (("account:1", BEGINS - 1), ("account:2", BEGINS - 40 * DAY_MS)):
            await tx.save_base(BaseRow(subject, version, encode_base([Piece(0, 1, at, State())])))
        await tx.add_links(links)
    return store


async def test_links_are_those_of_the_months_that_have_aged_and_no_decision_is_anticipated() -> None:
    past = await AgedPast.read(await store_with(new_fold().version, OWNED, LATER, ENDED))
    assert (past.until, [base.subject for base in past.bases]) == (BEGINS, ["account:1", "account:2"])
    owned = msgspec.structs.replace(OWNED, told_at=(BEGINS - 9, BEGINS - 1), ends=(BEGINS - 5,), barred_by="")
    ended = Link(subject="account:1", target="party:7", role="signatory", ends=(BEGINS - 1,))
    assert past.links == [owned, ended]


async def test_where_nothing_has_aged_nothing_is_anticipated() -> None:
    store = MemoryProfileStore(alias_of)
    async with store.updating() as tx:
        await tx.add_links([OWNED])
    assert AgedPast(*await AgedPast.read(store))._replace(bases=(), links=()) == NOTHING_AGED
    assert (await AgedPast.read(store)).links == []


async def test_what_a_newer_release_has_folded_is_refused() -> None:
    past, fold = await AgedPast.read(await store_with(new_fold().version + 1)), new_fold()
    async with MemoryProfileStore(alias_of).updating() as tx:
        with pytest.raises(Refusal, match="folded by a newer release"):
            await lay_beneath(tx, past, fold)
