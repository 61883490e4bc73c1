"""Where the demo goes on: a small bank where it stood, a large one a moment before, with the same events again."""

from pathlib import Path

import pytest

from services.cli.run.demo import Demo
from services.replay.send import Answer
from services.simulator.bank import start_of
from services.simulator.books import Event
from tests.clocks import ManualClock
from tests.simulator.conftest import ANCHOR


class Stopped(Exception):  # noqa: N818 - the test's own end
    pass


async def lived(path: Path, clock: ManualClock, size: int, *, batches: int) -> list[Event]:
    """What is sent in so many batches, 250 ms apart."""
    told: list[Event] = []
    demo = Demo(path, clock, size=size, seed=1, months=0)

    async def publish(events: list[Event]) -> Answer:
        if all(event["type"] == "source.heartbeat" for event in events):
            return Answer(len(events), [])
        if len(told_at) == batches:
            raise Stopped
        told_at.append(clock.now_ms())
        told.extend(events)
        clock.move_to(clock.now_ms() + 250)
        return Answer(len(events), [])

    told_at: list[int] = []
    with pytest.RaisesGroup(Stopped):
        await demo.live(publish)
    return told


@pytest.mark.parametrize(("size", "repeats"), [(300, False), (20_000, True)])
async def test_a_restart_sends_again_only_what_a_large_bank_sent_in_the_last_moment(
    tmp_path: Path, size: int, repeats: bool
) -> None:
    clock = ManualClock(start_of(ANCHOR) + 500)
    before = await lived(tmp_path / "state", clock, size, batches=2)
    after = await lived(tmp_path / "state", clock, size, batches=1)
    known = {event["id"]: event for event in before}
    again = [event for event in after if event["id"] in known]
    assert bool(again) is repeats
    assert again == [known[event["id"]] for event in again]
