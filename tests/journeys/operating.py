"""Who operates a deployment, and a day of its bank: for stories of going back."""

import asyncio
import json
import os
import sys
from pathlib import Path

from schemas.topics import Topic
from tests.journeys.bank import Bank, Json, ago, cny, event
from tests.journeys.platforms import ROOT
from tests.profile.told import SECRET

ACCOUNTS, ROUNDS, AT_ONCE = 8, 30, 4


class Operator:
    """Says commands in processes of his or her own."""

    def __init__(self, data: Path, urls: dict[str, str]) -> None:
        told = {"COUNTERPOINT_DATA": str(data), "COUNTERPOINT_SECRET": SECRET.decode()}
        self._environment = {**os.environ, **told, **urls}

    async def goes_back(self, topic: Topic) -> str:
        """To the beginning."""
        return await self.says("positions", "rewind", "--topic", topic.name, "--to-time", ago(1))

    async def sees(self, *command: str) -> list[Json]:
        found: list[Json] = json.loads(await self.says(*command, "--json"))
        return found

    async def has_all_worked(self) -> bool:
        return not any(one["lag"] for one in await self.sees("positions", "show"))

    async def says(self, *command: str) -> str:
        said = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", *command,
            cwd=ROOT, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await said.communicate()
        assert said.returncode == 0, told.decode()
        return told.decode()


def day_of(bank: Bank) -> list[list[Json]]:
    """Payments of some accounts, round by round; one customer complains."""
    names = [bank.no(f"busy{n}") for n in range(ACCOUNTS)]
    held_by = [event("account.opened", ago(2), account_no=f"a-{name}", customer_no=name) for name in names]
    upset = event("case.opened", ago(1.5), "call_center", customer_no=names[0], case_id=bank.no("case"),
                  case_kind="complaint")  # fmt: skip
    paid = [
        [
            event("transaction.posted", ago(1, minutes=-n), account_no=f"a-{name}", amount=cny("1.00"),
                  direction="credit")
            for name in names
            for _ in range(AT_ONCE)
        ]
        for n in range(ROUNDS)
    ]  # fmt: skip
    return [[*held_by, upset], *paid]
