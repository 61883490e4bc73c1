"""What the containers rely on, where none need run: how they are built, started, stopped and asked how they are."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy import docker_servers
from deploy.docker_servers import DockerServers
from deploy.local_servers import SetupError
from services.web.asgi import Receive, Scope, Send, serve
from tests.readme.pages import ROOT

WRITTEN: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SERVICES: dict[str, Any] = WRITTEN["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "counterpoint:local"}
ENGINE = """#!/bin/sh
case " $* " in
*" up "*) env > environment ;;
*" unpause "*) echo > thawed ;;
*" ps "*) [ -s found ] && echo healthy || echo unhealthy; [ -e thawed ] && echo x > found ;;
esac
"""
"""Finds well only by its second look what was thawed."""


def test_one_service_builds_the_image_of_all_and_nobody_looks_for_it_elsewhere() -> None:
    assert [name for name, service in OURS.items() if "build" in service] == ["database-upgrade"]
    assert {service["pull_policy"] for service in OURS.values()} == {"never"}


def test_a_service_hears_that_it_is_to_stop_from_its_first_moment() -> None:
    assert all(service["init"] is True and service["command"][0] == "counterpoint" for service in OURS.values())


def test_the_image_runs_as_a_user_whom_a_cluster_can_tell_from_root() -> None:
    """Kubernetes' `runAsNonRoot` refuses an image whose user is a name."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    (user,) = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert int(user) > 0
    assert any(f"useradd --uid {user} " in line for line in lines)


async def test_a_service_is_well_once_it_answers_that_it_is_ready() -> None:
    asked = {tuple(service["healthcheck"].get("test", ())) for service in OURS.values()} - {()}
    ((_, *question),) = asked
    for status, well in ((HTTPStatus.OK, True), (HTTPStatus.SERVICE_UNAVAILABLE, False)):

        async def answer(scope: Scope, receive: Receive, send: Send, status: HTTPStatus = status) -> None:
            assert scope["path"] == "/health/ready"
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b"200 200 "})

        server = await serve(answer, "127.0.0.1", 0)
        question_here = [word.replace("/8080", f"/{server.port}") for word in question]
        asking = await asyncio.create_subprocess_exec(*question_here)
        assert (await asking.wait() == 0) is well
        await server.stop()


def test_no_server_is_asked_by_a_java_program_whether_it_is_well() -> None:
    asked = {name: " ".join(service["healthcheck"]["test"]) for name, service in SERVICES.items() if name not in OURS
             and "healthcheck" in service}  # fmt: skip
    assert set(asked) == {"kafka", "postgres", "redis"}
    assert not any(".sh" in question for question in asked.values())


def test_what_is_to_outlive_a_container_lies_in_a_volume_with_a_name() -> None:
    kept = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])
            if not volume.startswith(".")}  # fmt: skip
    assert kept == set(WRITTEN["volumes"]) == {"kafka", "postgres", "prometheus", "secret"}


def test_a_command_line_in_a_container_knows_where_events_go_in() -> None:
    assert {service["environment"]["COUNTERPOINT_URL"] for service in OURS.values()} == {"http://ingest:8080"}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DockerServers:
    program = tmp_path / "docker"
    program.write_text(ENGINE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)
    return DockerServers("of-a-test")


def test_a_port_is_chosen_for_a_server_when_it_is_first_asked_for(engine: DockerServers, tmp_path: Path) -> None:
    for asked in (["redis"], ["kafka", "redis"]):
        urls = [engine.up(name)[name] for name in asked]
        told = (tmp_path / "environment").read_text()
        chosen = {name for name in ("kafka", "postgres", "redis") if f"COUNTERPOINT_{name.upper()}_PORT=" in told}
        assert chosen == set(asked)
        assert all(str(urlsplit(url).port) in told for url in urls)


def test_a_thawed_server_is_one_that_was_found_well_again(engine: DockerServers, tmp_path: Path) -> None:
    engine.thaw("kafka")
    assert (tmp_path / "found").exists()


def test_a_thawed_server_that_does_not_come_back_is_named(
    engine: DockerServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_servers, "HEALTHY_WITHIN_S", -1.0)
    with pytest.raises(SetupError, match=r"^kafka of of-a-test is not healthy"):
        engine.thaw("kafka")
