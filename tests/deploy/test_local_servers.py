"""The servers program: what other tests stand on."""

import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local_servers.__main__ import main
from deploy.local_servers.kafka import Kafka
from deploy.local_servers.system import SetupError
from tests.conftest import RunningServers


def answers(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((parts.hostname, parts.port)) == 0


@pytest.mark.parametrize("name", ["kafka", "postgres", "redis"])
def test_a_server_comes_back_at_the_same_address(breakable_servers: RunningServers, name: str) -> None:
    url = breakable_servers.up(name)[name]
    assert answers(url)
    breakable_servers.stop(name)
    assert not answers(url)
    breakable_servers.start(name)
    assert breakable_servers.url(name) == url
    assert answers(url)


async def test_what_was_committed_survives_a_kill(breakable_servers: RunningServers) -> None:
    url = breakable_servers.up("postgres")["postgres"]
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    breakable_servers.kill("postgres")
    connection.terminate()
    breakable_servers.start("postgres")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT n FROM kept") == 1
    await connection.close()


async def test_every_module_has_a_database_of_its_own(postgres_url: str, postgres_server_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()
    assert postgres_url != postgres_server_url


def test_names_may_follow_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["local_servers", "down", "--data", str(tmp_path), "redis", "kafka"])
    assert main() == 0


@pytest.mark.parametrize("names", [["redis"], ["redis", "kafka"], []])
def test_status_tells_of_those_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], names: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["local_servers", "status", "--data", str(tmp_path), *names])
    assert main() == 3
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [[name, "down"] for name in names or ("kafka", "postgres", "redis")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["status", "oracle"], "unknown server oracle"), (["erase", "redis"], "erase takes no NAME")],
)
def test_a_name_that_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["local_servers", *arguments, "--data", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert told in capsys.readouterr().err


def test_each_try_to_fetch_the_broker_tells_why_it_failed_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven = tmp_path / "programs" / "mvn"
    maven.parent.mkdir()
    maven.write_text("#!/bin/sh\necho no way to the registry\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", str(maven.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        with pytest.raises(SetupError, match="no way to the registry"):
            Kafka().command(tmp_path, 1)
    assert not [one for one in (tmp_path / "cache").rglob("*") if one.is_dir() and "kafka" in one.name]
