"""Who was refreshed just now is left alone for a moment, each in its own shard."""

from services.profile.domain.shards import shard_of
from services.profile.resting import COLLECTIVE_S, CUSTOMER_S, SET_ASIDE_S, Resting

PERSON, HOUSEHOLD, BROKEN = "party:1", "household:1", "party:2"
SHARDS = {shard_of(root) for root in (PERSON, HOUSEHOLD, BROKEN)}


def test_each_rests_for_its_own_time_and_is_looked_at_again_when_that_is_over() -> None:
    now = 0.0
    resting = Resting(clock=lambda: now)
    resting.note([PERSON, HOUSEHOLD])
    resting.set_aside([BROKEN])
    rests = {PERSON, HOUSEHOLD, BROKEN}
    for root, until in ((PERSON, CUSTOMER_S), (HOUSEHOLD, COLLECTIVE_S), (BROKEN, SET_ASIDE_S)):
        now = until - 0.001
        assert root in resting.roots(SHARDS)
        now = until
        assert root not in resting.roots(SHARDS)
        rests.remove(root)
        assert set(resting.roots(SHARDS)) == rests


def test_a_worker_is_told_of_its_own_shards_alone() -> None:
    assert shard_of(PERSON) != shard_of(HOUSEHOLD)
    resting = Resting(clock=lambda: 0.0)
    resting.note([PERSON, HOUSEHOLD])
    assert resting.roots([shard_of(PERSON)]) == [PERSON]
