"""Real servers for whoever asks for them: named by the environment, else Docker, else local processes. Never a skip."""

import asyncio
import logging
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio
import structlog
import uvloop
from hypothesis import HealthCheck, settings

from deploy.docker_servers import DockerServers, engine_runs
from deploy.local_servers import Servers
from services.sql.database import open_database
from services.sql.migrations import upgrade

# how long an example takes says how busy the machine is, and nothing of the product
settings.register_profile("counterpoint", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("counterpoint")


def pytest_configure() -> None:
    """Told to stop, the tests end as by Ctrl-C, and their servers with them. Commands speak English everywhere."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ["LC_ALL"] = "C.UTF-8"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that every process of ours runs on."""
    return {"uvloop": uvloop.new_event_loop}


VARIABLES = {
    "kafka": "COUNTERPOINT_TEST_KAFKA",  # kafka://host:port
    "postgres": "COUNTERPOINT_TEST_POSTGRES",  # postgresql://user@host:port/database, may create databases
    "redis": "COUNTERPOINT_TEST_REDIS",  # redis://host:port/number
}


class RunningServers(Protocol):
    """Real servers, started when first asked for. The names are kafka, postgres and redis."""

    def up(self, *names: str) -> Mapping[str, str]: ...
    def url(self, name: str) -> str: ...
    def start(self, name: str) -> None: ...
    def stop(self, name: str) -> None: ...
    def kill(self, name: str) -> None: ...
    def freeze(self, name: str) -> None: ...
    def thaw(self, name: str) -> None: ...


@contextmanager
def started_servers() -> Iterator[RunningServers]:
    """Servers of one's own, stopped and erased at the end."""
    if engine_runs():
        containers = DockerServers(f"counterpoint-test-{uuid.uuid4().hex[:8]}")
        try:
            yield containers
        finally:
            containers.erase()
        return
    processes = Servers(Path(mkdtemp(prefix="counterpoint-test-")))
    try:
        yield processes
    finally:
        processes.erase()


@contextmanager
def logging_as_before() -> Iterator[None]:
    """A command sets logging up for its whole process, and here that process goes on."""
    root, known = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        structlog.configure(**known)
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture(autouse=True)
def logging_of_its_own() -> Iterator[None]:
    with logging_as_before():
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[RunningServers]:
    """Shared by the session: look, do not break. Starts nothing until `up` is called."""
    with started_servers() as running:
        yield running


@pytest.fixture(scope="module")
def breakable_servers() -> Iterator[RunningServers]:
    """For tests that stop, kill or freeze a server: nobody else's, started by `up("kafka")`."""
    with started_servers() as running:
        yield running


def _url(name: str, request: pytest.FixtureRequest) -> str:
    given = os.environ.get(VARIABLES[name])
    if given:
        return given
    running: RunningServers = request.getfixturevalue("servers")
    return running.up(name)[name]


@pytest.fixture(scope="session")
def kafka_url(request: pytest.FixtureRequest) -> str:
    return _url("kafka", request)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    return _url("redis", request)


@pytest.fixture(scope="session")
def postgres_server_url(request: pytest.FixtureRequest) -> str:
    return _url("postgres", request)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres_url(postgres_server_url: str) -> AsyncIterator[str]:
    """A database of the module's own, empty, dropped at its end."""
    async with fresh_database(postgres_server_url) as url:
        yield url


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    """An empty database on the server, dropped at the end; yields its URL."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    await _tell(server_url, f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    await _tell(server_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _tell(server_url: str, statement: str) -> None:
    """By a connection of its own: the server may have been away meanwhile."""
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Brought up to this release once: each test copies it."""
    path = tmp_path_factory.mktemp("stores") / "template.db"
    database = open_database(f"sqlite:{path}")
    await upgrade(database)
    await database.close()
    return path


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store keeps what it keeps: a database URL; empty for memory."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "stores.db")
        return f"sqlite:{tmp_path}/stores.db"
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""
