"""One short run of the chaos program: the long ones are `make chaos SECONDS=60 SEED=…`."""

from tests.chaos.run import Plan, chaos
from tests.conftest import RunningServers


async def test_nothing_is_lost_and_nothing_doubled_while_workers_and_servers_fail(
    breakable_servers: RunningServers,
) -> None:
    assert await chaos(Plan(seed=11, seconds=9, events=2_000, fail_every=11), breakable_servers) == []
