"""The services as a bank runs them: each with a role of its own that may do what it needs and nothing else, passwords
from files, and a certificate in place of one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import asyncpg
import httpx
import pytest

from deploy.local_servers.postgres import Postgres
from deploy.local_servers.process import ServerProcess
from deploy.local_servers.system import free_port
from services.access import SqlUserStore
from services.cli.run.credentials import Credentials, credentials
from services.clock import SystemClock
from services.deployment import open_tables
from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
from services.ingest.app import Stores
from services.settings import read_settings
from tests.certificates import make_certificates
from tests.conftest import RunningServers
from tests.journeys.bank import ago, event
from tests.journeys.operating import Operator
from tests.journeys.platforms import ROOT, empty_servers, until
from tests.patience import HANG_S
from tests.ports.emptied import RIGHTS
from tests.ports.redis_rights import PASSWORD, user_of_redis
from tests.profile.told import SECRET

_HBA = """\
host    all postgres                                          127.0.0.1/32 trust
hostssl all counterpoint_alerts                               127.0.0.1/32 cert
hostssl all counterpoint,counterpoint_ingest,counterpoint_profile 127.0.0.1/32 scram-sha-256
"""
_LETS_IN = [
    "alter system set ssl = on", "alter system set ssl_cert_file = '{0}/server.pem'",
    "alter system set ssl_key_file = '{0}/server.key'", "alter system set ssl_ca_file = '{0}/authority.pem'",
    f"create role counterpoint login password '{PASSWORD}'", "create database bank owner counterpoint",
]  # fmt: skip
COMMANDS = {
    "ingest": ("services.ingest",),
    "profile": ("services.cli", "profile"),
    "alerts": ("services.cli", "alerts", "serve"),
}


@pytest.fixture
def strict_database() -> Iterator[tuple[str, Path]]:
    """Lets in over TLS alone, by password or certificate: its URL but for the role, and where the certificates are."""
    home = Path(mkdtemp(prefix="counterpoint-test-"))
    home.chmod(0o711)
    port, certificates = free_port(), home / "certificates"
    make_certificates(certificates, {"server": "IP:127.0.0.1", "counterpoint_alerts": "DNS:alerts"})
    server = ServerProcess(Postgres(), home / "postgres", port)
    try:
        server.start()
        _give_key_to(Postgres().user, certificates / "server.key")
        (home / "postgres" / "data" / "pg_hba.conf").write_text(_HBA)
        yield f"127.0.0.1:{port}", certificates
    finally:
        server.stop()
        rmtree(home)


def _give_key_to(user: str | None, key: Path) -> None:
    key.chmod(0o600)
    if user is not None:
        subprocess.run(["chown", user, str(key)], check=True)


async def _tell(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@asynccontextmanager
async def deployed(
    servers: RunningServers, strict_database: tuple[str, Path], directory: Path
) -> AsyncIterator[Mapping[str, dict[str, str]]]:
    """Service → its variables; `""`: of the command line."""
    address, certificates = strict_database
    (directory / "password").write_text(f"{PASSWORD}\n")
    (directory / "password").chmod(0o440)  # as a cluster mounts it
    admin = f"postgresql://postgres@{address}/"
    await _tell(f"{admin}postgres", *(one.format(certificates) for one in _LETS_IN), "select pg_reload_conf()")
    common = {
        "COUNTERPOINT_DATA": str(directory), "COUNTERPOINT_SECRET": SECRET.decode(),
        "PGSSLROOTCERT": str(certificates / "authority.pem"),
    }  # fmt: skip
    by_password = {"COUNTERPOINT_DATABASE_PASSWORD_FILE": str(directory / "password")}
    by_certificate = {f"PGSSL{what}": str(certificates / f"counterpoint_alerts.{end}")
                      for what, end in (("CERT", "pem"), ("KEY", "key"))}  # fmt: skip

    def told(role: str, proof: Mapping[str, str]) -> dict[str, str]:
        return {**common, **proof, "COUNTERPOINT_DATABASE": f"postgresql://{role}@{address}/bank?ssl=verify-full"}

    async with empty_servers(servers) as urls, AsyncExitStack() as users:
        common["COUNTERPOINT_LOG"] = urls["COUNTERPOINT_LOG"]
        owner = told("counterpoint", by_password)
        await Operator(directory, owner).says("db", "upgrade")
        passwords = [f"alter role counterpoint_{one} password '{PASSWORD}'" for one in ("ingest", "profile")]
        await _tell(f"{admin}bank", RIGHTS.read_text(), *passwords)
        given = {"": owner}
        for service in COMMANDS:
            proof = by_certificate if service == "alerts" else by_password
            redis = await users.enter_async_context(user_of_redis(servers.up("redis")["redis"], service))
            given[service] = {
                **told(f"counterpoint_{service}", proof), "COUNTERPOINT_REDIS": redis,
                "COUNTERPOINT_REDIS_PASSWORD_FILE": str(directory / "password"),
                "COUNTERPOINT_PORT": str(free_port()),
            }  # fmt: skip
        yield given


@asynccontextmanager
async def running(given: Mapping[str, dict[str, str]], directory: Path) -> AsyncIterator[dict[str, str]]:
    """Service → where it serves. All of them end cleanly when told to."""
    processes = {}
    for service, command in COMMANDS.items():
        with (directory / f"{service}.log").open("wb") as log:
            processes[service] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, cwd=ROOT, env={**os.environ, **given[service]}, stdout=log, stderr=log
            )
    addresses = {service: f"http://127.0.0.1:{given[service]['COUNTERPOINT_PORT']}" for service in COMMANDS}
    try:
        async with httpx.AsyncClient() as client:

            async def all_ready() -> bool:
                for service, process in processes.items():
                    assert process.returncode is None, (directory / f"{service}.log").read_text()[-3000:]
                try:
                    asked = [await client.get(f"{url}/health/ready") for url in addresses.values()]
                except httpx.HTTPError:
                    return False
                return all(answer.status_code == 200 for answer in asked)

            await until(all_ready)
        yield addresses
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.terminate()
        ended = [await process.wait() for process in processes.values()]
    assert ended == [0, 0, 0]


async def first_credentials(owner: Mapping[str, str], directory: Path) -> Credentials:
    database = open_tables(read_settings(owner))
    stores = Stores(SqlKeyStore(database), SqlSourceStore(database))
    now = SystemClock().now_ms()
    made = await credentials(directory / "credentials.json", "http://nowhere", stores, SqlUserStore(database), now)
    await database.close()
    return made


def said(directory: Path) -> str:
    return "".join((directory / f"{service}.log").read_text() for service in COMMANDS)


async def test_each_service_works_with_the_rights_that_it_needs_and_no_other(
    breakable_servers: RunningServers,
    strict_database: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with deployed(breakable_servers, strict_database, tmp_path) as given:
        monkeypatch.setenv("PGSSLROOTCERT", given[""]["PGSSLROOTCERT"])
        known = await first_credentials(given[""], tmp_path)
        reader = {"Authorization": f"Bearer {known.manager_token}"}
        async with running(given, tmp_path) as at, httpx.AsyncClient(timeout=HANG_S) as client:
            unhappy = event("feedback.given", ago(), "mobile", customer_no="10000017", score=1, scale=10)
            told = [event("account.opened", ago(2), account_no="A-1", customer_no="10000017"), unhappy]
            headers = {"Authorization": f"Bearer {known.ingest_key}"}
            answer = await client.post(f"{at['ingest']}/v1/events", json={"events": told}, headers=headers)
            assert (answer.status_code, answer.json()["accepted"]) == (202, 2)

            async def is_seen() -> bool:
                assert "lacks a right" not in said(tmp_path)
                found = await client.get(f"{at['profile']}/v1/customers", params={"account_no": "A-1"}, headers=reader)
                alerts = await client.get(f"{at['alerts']}/v1/alerts", headers=reader)
                return bool(found.raise_for_status().json()["customers"] and alerts.raise_for_status().json()["alerts"])

            await until(is_seen, 0.2)
            [alert] = (await client.get(f"{at['alerts']}/v1/alerts", headers=reader)).json()["alerts"]
            customer = f"/v1/customers/{alert['customer_id']}"
            for service, asked in (
                ("profile", (customer, f"{customer}/timeline", f"{customer}/facts", f"{customer}/identity")),
                ("alerts", (f"{customer}/rules", f"/v1/alerts/{alert['alert_id']}/events", "/v1/rules", "/v1/team",
                            "/v1/rules/precision", "/v1/rules/history", "/v1/notices")),
            ):  # fmt: skip
                answers = [await client.get(f"{at[service]}{path}", headers=reader) for path in asked]
                assert [answer.status_code for answer in answers] == [200] * len(asked)
            claim = f"{at['alerts']}/v1/alerts/{alert['alert_id']}/claim"
            assert (await client.post(claim, headers=reader)).status_code == 200
            examined = await Operator(tmp_path, given[""]).sees("doctor")
            assert {one["state"] for one in examined} <= {"ok", "warning"}
    assert "lacks a right" not in said(tmp_path)
    assert PASSWORD not in said(tmp_path)
