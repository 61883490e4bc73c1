"""A process, a command and the doctor refuse a database that was written with another secret."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from services.cli.run.alerting import run as run_alerts
from services.cli.run.platform import running_platform
from services.clock import ClockKind
from services.ingest.__main__ import run as run_ingest
from services.profile.__main__ import run as run_profile
from services.secret import load_secret
from services.settings import read_settings
from services.sql.one_secret import OtherSecret, settle_on_secret
from tests.cli.conftest import Command, in_database
from tests.cli.test_examining import finding
from tests.conftest import logging_as_before

ANOTHER = {"COUNTERPOINT_SECRET": "x" * 32}


async def run_platform(environment: Mapping[str, str]) -> None:
    async with running_platform(read_settings(environment), environment):
        raise AssertionError("it serves")


def settled(deployment: Path, clock: ClockKind = "system") -> None:
    secret = load_secret(read_settings({"COUNTERPOINT_DATA": str(deployment)}))
    in_database(deployment, lambda database: settle_on_secret(database, secret, clock))


@pytest.mark.parametrize("run", [run_ingest, run_profile, run_alerts, run_platform])
def test_no_service_starts_with_another_secret(
    deployment: Path, run: Callable[[Mapping[str, str]], Awaitable[None]]
) -> None:
    settled(deployment)

    async def main() -> None:
        await run({"COUNTERPOINT_DATA": str(deployment), "COUNTERPOINT_PORT": "0", **ANOTHER})

    with logging_as_before(), pytest.raises(OtherSecret):
        asyncio.run(main())


def test_a_command_with_another_secret_says_what_to_do(counterpoint: Command, deployment: Path) -> None:
    settled(deployment)
    said = counterpoint("keys", "list", env=ANOTHER)
    assert said.code == 1
    assert said.err.startswith("error: the secret of this process is not the one with which the database was written")
    assert counterpoint("keys", "list").code == 0


def test_the_doctor_says_that_the_secret_is_another(counterpoint: Command, deployment: Path) -> None:
    settled(deployment)
    code, state, told = finding(counterpoint, "secret", env=ANOTHER)
    assert (code, state) == (1, "wrong")
    assert "give every process and shell that one" in told
