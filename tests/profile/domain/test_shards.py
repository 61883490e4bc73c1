"""What is refreshed in one transaction: as many shards as fit."""

from hypothesis import given
from hypothesis import strategies as st

from services.profile.domain.shards import SHARDS, together

WAITING = st.dictionaries(st.integers(0, SHARDS - 1), st.integers(1, 900))


@given(WAITING, st.integers(1, 400))
def test_each_shard_stands_in_one_group_and_only_one_that_stands_alone_exceeds_the_limit(
    waiting: dict[int, int], limit: int
) -> None:
    groups = together(waiting, limit)
    assert [shard for group in groups for shard in group] == sorted(waiting)
    assert all(len(group) == 1 or sum(waiting[shard] for shard in group) <= limit for group in groups)


def test_a_few_marks_everywhere_are_one_transaction() -> None:
    assert together(dict.fromkeys(range(SHARDS), 2), 400) == [list(range(SHARDS))]


def test_shards_that_fit_exactly_stand_together() -> None:
    assert together({0: 200, 1: 200, 2: 1}, 400) == [[0, 1], [2]]
