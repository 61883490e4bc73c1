"""What readers have heard since the backup is all that the log holds beyond the positions that came back with it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from schemas.alerts import Alert, Text
from schemas.changes import ProfileChange
from schemas.codec import encode_alert, encode_change
from schemas.topics import ALERTS, PROFILE_CHANGES, TOPICS
from services.alerts.adapters.memory import MemoryAlertStore
from services.cli.restoring import alerts_since, changes_since
from services.embedded.log import EmbeddedLog
from services.failures import Unavailable
from services.log import Message, Position
from services.profile.adapters.restoring import LastHeard

CHANGES = PROFILE_CHANGES.name


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    """With two records in the first partition of the changes that were there before the backup."""
    log = EmbeddedLog(tmp_path)
    await log.ensure_topics(TOPICS)
    await log.append(CHANGES, [said("before", 1), said("before", 2)])
    yield log
    await log.close()


def said(customer_id: str, version: int, partition: int = 0) -> Message:
    change = ProfileChange(customer_id=customer_id, version=version, kind="person", changed_at=7)
    return Message(customer_id.encode(), encode_change(change), partition)


def step(alert_id: str, revision: int, state: str) -> Message:
    alert = Alert(alert_id=alert_id, revision=revision, customer_id="c", kind="retention", situation="leaving",
                  severity=1, title=Text(), reason=Text(), state=state, opened_at=1)  # fmt: skip
    return Message(b"c", encode_alert(alert), 3)


async def backed_up(log: EmbeddedLog, next_offset: int = 2, topic_id: str = "") -> MemoryAlertStore:
    store = MemoryAlertStore()
    known = topic_id or await log.topic_id(CHANGES)
    await store.set_position(CHANGES, 0, Position(known, next_offset))
    return store


async def test_of_each_customer_the_greatest_version_is_heard_and_what_is_no_change_is_passed_over(
    log: EmbeddedLog,
) -> None:
    store = await backed_up(log)
    await log.append(
        CHANGES, [said("a", 3), said("a", 5), said("a", 4), Message(b"x", b"no change", 0), said("b", 6, partition=1)]
    )
    told, _ = await changes_since(log, store)
    assert told == {"a": LastHeard(5, "person", 7), "b": LastHeard(6, "person", 7)}


async def test_of_each_alert_the_greatest_revision_is_heard(log: EmbeddedLog) -> None:
    told_of = [step("al_1", 1, "new"), step("al_1", 3, "claimed"), step("al_1", 2, "routed"), step("al_2", 1, "routed")]
    await log.append(ALERTS.name, told_of)
    told, _ = await alerts_since(log, MemoryAlertStore())
    assert {name: (one.revision, one.state) for name, one in told.items()} == {
        "al_1": (3, "claimed"), "al_2": (1, "routed"),
    }  # fmt: skip


@pytest.mark.parametrize("came_back", ["of another topic", "beyond the end", "where it ends"])
async def test_a_position_counts_as_far_as_it_belongs_to_this_log(log: EmbeddedLog, came_back: str) -> None:
    store = await {
        "of another topic": lambda: backed_up(log, 2, "another"),
        "beyond the end": lambda: backed_up(log, 99),
        "where it ends": lambda: backed_up(log),
    }[came_back]()
    told, _ = await changes_since(log, store)
    assert list(told) == (["before"] if came_back == "of another topic" else [])


async def test_what_was_heard_is_skipped_by_whoever_would_act_on_it(log: EmbeddedLog) -> None:
    store = await backed_up(log)
    await log.append(CHANGES, [said("a", 5), said("b", 6, partition=1)])
    _, ahead = await changes_since(log, store)
    await ahead.skip(store)
    partitions = range(PROFILE_CHANGES.partitions)
    stored = await store.positions(CHANGES, partitions)
    topic_id, ends = await log.topic_id(CHANGES), await log.ends(CHANGES)
    assert stored == {one: Position(topic_id, ends[one][1]) for one in partitions}


async def test_where_the_log_has_no_such_topic_nobody_has_heard_anything(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path / "empty")
    told, ahead = await alerts_since(log, MemoryAlertStore())
    await ahead.skip(MemoryAlertStore())
    assert told == {}
    await log.close()


async def test_a_log_that_goes_away_meanwhile_is_told_and_what_was_heard_is_not_taken_for_all(
    log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def consume(*_: object) -> None:
        raise Unavailable("the log is away")

    monkeypatch.setattr(log, "consume", consume)
    await log.append(CHANGES, [said("a", 5)])
    with pytest.raises(Unavailable, match="the log is away"):
        await changes_since(log, await backed_up(log))
