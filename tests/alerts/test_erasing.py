"""A customer who was erased: what was open is withdrawn, notes are gone, and only something new raises an alert."""

import pytest

from schemas.codec import decode_alert
from services.alerts.domain.alert import Alert, Outcome, step
from tests.alerts.test_evaluate import OWED, Service
from tests.alerts.told import DAY, HOUR, NOON, moment, statement

ERASED = NOON + 2 * HOUR + 1
"""Between the second statement and the third."""


async def noted(service: Service, note: str) -> None:
    """Somebody takes up what is open and says something about it."""
    async with service.store.working() as tx:
        found = (await tx.alerts_of(["c1"]))["c1"]
        for one in found:
            step(one, NOON + 2 * HOUR, "Li Na", "claim", "claimed", note)
        await tx.save_alerts(found, {})


async def closed(service: Service, outcome: Outcome) -> None:
    async with service.store.working() as tx:
        found = (await tx.alerts_of(["c1"]))["c1"]
        for one in found:
            one.outcome = outcome
            step(one, NOON + 2 * HOUR, "Li Na", "outcome", "closed", outcome.note)
        await tx.save_alerts(found, {})


def said(alert: Alert) -> list[str]:
    return [one.note for one in alert.history if one.actor != "system"]


async def test_what_is_open_is_withdrawn_with_the_reason_whoever_works_on_it() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    await noted(service, "Mrs Wang is away until May")
    await service.takes(statement(3, **OWED, erased_at=ERASED))
    (alert,) = await service.alerts()
    assert (alert.state, alert.history[-1].note, said(alert)) == ("withdrawn", "the customer was erased", [""])


async def test_nothing_is_raised_again_by_what_holds_on() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    for version in (3, 4, 5):
        await service.takes(statement(version, **OWED, erased_at=ERASED))
    assert [one.state for one in await service.alerts()] == ["withdrawn"]


async def test_something_new_raises_an_alert_that_stays() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    await service.takes(statement(3, **OWED, erased_at=ERASED))
    large = [moment("m-1", NOON + 4 * HOUR)]
    for version in (5, 6):
        await service.takes(statement(version, **OWED, moments=large, erased_at=ERASED))
    assert sorted(one.state for one in await service.alerts()) == ["routed", "withdrawn"]


async def test_notes_on_what_was_closed_are_forgotten_and_that_is_told() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    await closed(service, Outcome(result="not_relevant", note="Mrs Wang moved", reason="moved to her son"))
    (before,) = await service.alerts()
    await service.takes(statement(3, **OWED, erased_at=ERASED))
    (alert,) = await service.alerts()
    assert (alert.state, alert.outcome, said(alert)) == ("closed", Outcome(result="not_relevant"), [""])
    newest = [decode_alert(row.message.value) for row in await service.store.outbox("changes-0", 100)][-1]
    assert (newest.revision > before.revision, [one.note for one in newest.history if one.actor != "system"]) == (
        True, [""]
    )  # fmt: skip


async def test_notes_from_after_the_erasure_stay_until_the_next() -> None:
    service = Service()
    await service.takes(statement(1), statement(3, erased_at=ERASED))
    await service.takes(statement(4, **OWED, erased_at=ERASED))
    await noted(service, "called")
    await service.takes(statement(5, **OWED, erased_at=ERASED))
    (alert,) = await service.alerts()
    assert (alert.state, said(alert)) == ("claimed", ["called"])
    await service.takes(statement(6, **OWED, erased_at=NOON + DAY))
    (alert,) = await service.alerts()
    assert (alert.state, said(alert)) == ("withdrawn", [""])


@pytest.mark.parametrize("heir_first", [False, True])
async def test_who_was_erased_and_merged_at_once_brings_no_note_along(heir_first: bool) -> None:
    """Nothing was told of the erasure before the merge."""
    service = Service()
    await service.takes(statement(1, **OWED), statement(1, "c2"))
    await noted(service, "Mrs Wang is away until May")
    gone = statement(3, kind="gone", aliases=["c2"], erased_at=ERASED)
    whole = statement(3, "c2", **OWED, merged=["c1"], aliases=["c1"])
    for change in (whole, gone) if heir_first else (gone, whole):
        await service.takes(change)
    (alert,) = await service.alerts()
    assert (alert.state, said(alert)) == ("withdrawn", [""])


async def test_what_was_closed_for_somebody_who_left_erased_is_forgotten_and_the_heirs_notes_are_kept() -> None:
    service = Service()
    await service.takes(statement(1, **OWED))
    await closed(service, Outcome(result="saved", note="Mrs Wang stays"))
    await service.takes(statement(1, "c2", moments=[moment("x", NOON)]))
    async with service.store.working() as tx:
        (theirs,) = (await tx.alerts_of(["c2"]))["c2"]
        step(theirs, NOON + HOUR, "Li Na", "claim", "claimed", "calls back on Monday")
        await tx.save_alerts([theirs], {})
    await service.takes(statement(3, "c2", moments=[moment("x", NOON)], merged=["c1"], aliases=["c1"]))
    await service.takes(statement(3, kind="gone", aliases=["c2"], erased_at=ERASED))
    found = {one.customer_id: one for one in await service.alerts()}
    assert (found["c1"].outcome, said(found["c1"])) == (Outcome(result="saved"), [""])
    assert (found["c2"].state, said(found["c2"])) == ("claimed", ["calls back on Monday"])


async def test_a_merge_with_somebody_who_was_not_erased_leaves_what_is_open() -> None:
    service = Service()
    await service.takes(statement(1, **OWED), statement(1, "c2", erased_at=ERASED))
    await service.takes(statement(3, **OWED, merged=["c2"], aliases=["c2"]))
    assert [one.state for one in await service.alerts()] == ["routed"]
