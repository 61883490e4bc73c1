"""How the marks of a worker's shards are worked off when one customer takes longer than a transaction may."""

from collections.abc import Sequence

import pytest

from services.failures import Interrupted
from services.profile.adapters.sql_refresh import SqlRefresh
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.ports.refreshing import Member
from tests.journeys.platforms import until
from tests.profile.test_steps import Deployment, deployment
from tests.profile.told import SECRET

__all__ = ["deployment"]
GIANT = "party:77"


async def test_a_customer_that_takes_too_long_is_set_aside_and_holds_up_nobody_else(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = SqlRefresh.members

    async def slow(self: SqlRefresh, roots: Sequence[str]) -> dict[str, list[Member]]:
        if GIANT in roots:
            raise Interrupted("the database is not available: a transaction took too long")
        return await members(self, roots)

    monkeypatch.setattr(SqlRefresh, "members", slow)
    accounts = {str(number): str(number - 5924) for number in range(6001, 6021)}
    async with deployment.doing("update", "refresh") as profile:
        for account, customer in accounts.items():
            await deployment.tell(account, customer=customer)

        async def others_are_seen() -> bool:
            ids = [customer_id(f"party:{customer}", SECRET) for customer in accounts.values()]
            seen = [await profile.worker.reader.view(one) is not None for one in ids]
            return seen == [customer != "77" for customer in accounts.values()]

        async def one_is_set_aside() -> bool:
            return await profile.worker.store.count_aside() == 1

        await until(others_are_seen)
        await until(one_is_set_aside)
