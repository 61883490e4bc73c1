"""The production topology on one machine, as a shell beside it finds it."""

import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local_servers import SetupError
from deploy.topology import Service, environment_of, refuse_taken_ports, stop, write_environment
from services.cli.asking import Asking
from services.cli.refusals import Refusal
from services.web.asgi import NOTHING_HERE
from tests.cli.conftest import command_line

SERVERS = {
    "kafka": "kafka://127.0.0.1:1", "postgres": "postgresql://nobody@127.0.0.1:1/none", "redis": "redis://127.0.0.1:1/0",
}  # fmt: skip
OF_THE_PLATFORM_BEFORE = {"base_url": "http://127.0.0.1:9", "agent_token": "t"}


def shell_beside(data: Path) -> dict[str, str]:
    """The variables of a shell that has read the file."""
    data.mkdir(parents=True)
    file = write_environment(environment_of(SERVERS, data), data)
    reading = f". {shlex.quote(str(file))}; env"
    told = subprocess.run(["sh", "-c", reading], capture_output=True, text=True, check=True).stdout
    lines = [line.partition("=") for line in told.splitlines()]
    return {name: value for name, _, value in lines if name.startswith("COUNTERPOINT_")}


def test_a_shell_beside_the_servers_takes_nothing_from_a_platform_that_ran_before(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "credentials.json").write_text(json.dumps(OF_THE_PLATFORM_BEFORE))
    beside = shell_beside(tmp_path / "var" / "servers")
    said = command_line(tmp_path / "var")("alerts", "list", env=beside)
    assert said.code == 1
    assert said.err.startswith("error: a token is needed: --token")
    assert f"{tmp_path}/var/servers/credentials.json" in said.err


def test_a_shell_beside_the_servers_knows_where_events_go_in(tmp_path: Path) -> None:
    beside = shell_beside(tmp_path / "bank's own")
    assert beside["COUNTERPOINT_URL"] == "http://127.0.0.1:8080"
    assert beside["COUNTERPOINT_DATA"] == str(tmp_path / "bank's own")
    assert os.stat(beside["COUNTERPOINT_SECRET_FILE"]).st_mode & 0o077 == 0


def test_a_service_that_does_not_answer_this_is_told_apart_from_a_thing_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = httpx.Response(404, json={"detail": NOTHING_HERE})
    monkeypatch.setattr(httpx, "request", lambda *_, **__: answer)
    with pytest.raises(Refusal, match=r"^404: http://a does not answer this: --url or COUNTERPOINT_URL names the serv"):
        Asking("http://a", "t").get("/v1/alerts")


STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


class Interrupted(subprocess.Popen[bytes]):
    """While it is waited for the first time, Ctrl-C comes again."""

    waited = False

    def wait(self, timeout: float | None = None) -> int:
        if not self.waited:
            self.waited = True
            raise KeyboardInterrupt
        return super().wait(timeout)


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"^port {port}, where alerts serves, is taken: stop what listens there"):
            refuse_taken_ports({"alerts": Service(("services.cli",), port)})
    refuse_taken_ports({"alerts": Service(("services.cli",), port)})


def test_a_second_ctrl_c_stops_what_does_not_want_to_stop() -> None:
    running = {name: Interrupted([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) for name in ("a", "b")}
    for process in running.values():
        assert process.stdout is not None
        with process.stdout as ready:
            ready.readline()
    stop(running)
    assert [process.wait() for process in running.values()] == [-9, -9]
