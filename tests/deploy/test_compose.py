"""What the containers rely on, where none need run: how they are built, started, stopped and asked how they are."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import docker_servers
from deploy.docker_servers import DockerServers
from deploy.local_servers import SetupError
from tests.readme.pages import ROOT

WRITTEN: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SERVICES: dict[str, Any] = WRITTEN["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "counterpoint:local"}
ENGINE = """#!/bin/sh
case " $* " in
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


def test_a_thawed_server_is_one_that_was_found_well_again(engine: DockerServers, tmp_path: Path) -> None:
    engine.thaw("kafka")
    assert (tmp_path / "found").exists()


def test_a_thawed_server_that_does_not_come_back_is_named(
    engine: DockerServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_servers, "HEALTHY_WITHIN_S", -1.0)
    with pytest.raises(SetupError, match=r"^kafka of of-a-test is not healthy"):
        engine.thaw("kafka")
