"""The production topology on one machine: local servers, and every service as a process. `make run-servers`."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.local_servers import VARIABLES, Servers, SetupError, exported
from services.secret import load_secret
from services.settings import SettingsError, read_settings

STOP_WITHIN_S = 30.0
AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")
"""Whether Linux shares a processor among sessions first, and only then among the processes of each (sched(7), "The
autogroup feature"). Every connection of PostgreSQL is a session. Control groups, as of systemd and containers, overrule
it."""


class Service(NamedTuple):
    """`command`: what follows `python -m`. `steps`: of the profile, where the process does some of them alone. `nice`:
    how far it gives way to the others where the processor is short."""

    command: tuple[str, ...]
    port: int
    steps: str = ""
    nice: int = 0


SERVICES: Mapping[str, Service] = {
    "ingest": Service(("services.ingest",), 8080),
    "profile-read": Service(("services.cli", "profile"), 8081, "read"),
    "alerts": Service(("services.cli", "alerts", "serve"), 8082, nice=10),
    "profile-update-1": Service(("services.cli", "profile"), 8083, "update"),
    "profile-update-2": Service(("services.cli", "profile"), 8084, "update"),
    "profile-refresh": Service(("services.cli", "profile"), 8085, "refresh", nice=10),
}
"""Reading shows what update has committed, refreshed or not; and the longer a refresh waits, the more events it sums up
at once. So under load it is refresh that gives way, and alerts with it, which hears of nothing before. Two workers
share the partitions to update: while one waits for its transaction the other one works on its own."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy.topology", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var/servers"), help="data of the servers and the secret")
    data: Path = parser.parse_args().data
    servers = Servers(data)
    try:
        refuse_taken_ports(SERVICES)
        own = environment_of(servers.up(), data)
        environment = {**os.environ, **own}
        subprocess.run([_program("counterpoint"), "db", "upgrade"], env=environment, check=True)  # noqa: S603 - fixed argv
        return _run(environment, write_environment(own, data))
    except (SetupError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    finally:
        servers.down()


def refuse_taken_ports(services: Mapping[str, Service]) -> None:
    """Before anything is started. Raises `SetupError`."""
    for name, service in services.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just been closed does not count
            try:
                probe.bind(("127.0.0.1", service.port))
            except OSError:
                taken = f"port {service.port}, where {name} serves, is taken"
                raise SetupError(f"{taken}: stop what listens there, such as a `counterpoint run`") from None


def shares_among_sessions() -> bool:
    return AUTOGROUP.exists() and AUTOGROUP.read_text().strip() != "0"


def _program(name: str) -> str:
    """Beside this interpreter, where `make` has put it."""
    return str(Path(sys.executable).with_name(name))


def environment_of(servers: Mapping[str, str], data: Path) -> dict[str, str]:
    """Of the processes, and of a shell beside them: what `counterpoint run` keeps elsewhere is of another platform."""
    environment = {
        "COUNTERPOINT_DATA": str(data.absolute()),
        **{VARIABLES[name]: url for name, url in servers.items()},
        "COUNTERPOINT_SECRET_FILE": str(data.absolute() / "secret"),
        "COUNTERPOINT_URL": _address("ingest"),
    }
    load_secret(read_settings(environment))  # is made where there is none yet
    return environment


def write_environment(environment: Mapping[str, str], data: Path) -> Path:
    """For a shell beside it: the ports of the servers are free ones and differ from machine to machine."""
    path = data / "counterpoint.env"
    path.write_text(exported(environment))
    return path


def _run(environment: Mapping[str, str], written: Path) -> int:
    """Until Ctrl-C, SIGTERM, or the end of one service: the others are then stopped, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    running = {name: _start(service, environment) for name, service in SERVICES.items()}
    for name in SERVICES:
        print(f"{name:16} {_address(name)}")
    print(f"The command line finds them after `. {written}`: begin with `{_program('counterpoint')} doctor`.")
    print(f"Only `alerts` and `rules explain` need --url {_address('alerts')} and a --token of `users create`.")
    if shares_among_sessions():
        print("PostgreSQL's connections wait for each other: `sysctl kernel.sched_autogroup_enabled=0` mends that.")
    print("Ctrl-C stops everything.", flush=True)
    try:
        while all(process.poll() is None for process in running.values()):
            time.sleep(0.2)
        ended = next(name for name, process in running.items() if process.poll() is not None)
        print(f"{ended} ended with code {running[ended].returncode}: stopping the others", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stop(running)


def _address(name: str) -> str:
    return f"http://127.0.0.1:{SERVICES[name].port}"


def _start(service: Service, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - fixed argv
        ["nice", "-n", str(service.nice), sys.executable, "-m", *service.command],  # noqa: S607 - the machine has one `nice`
        env={**environment, "COUNTERPOINT_PORT": str(service.port), "COUNTERPOINT_PROFILE_STEPS": service.steps},
        # Ctrl-C comes here first, and stops them in order. Not a session each: between sessions Linux shares the
        # processor out evenly, whatever is nice (sched(7), autogroups)
        process_group=0,
    )


def stop(running: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    """Each finishes what it has in hand, unless Ctrl-C comes a second time."""
    for process in running.values():
        process.terminate()
    for name, process in running.items():
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            print(f"{name} did not stop within {STOP_WITHIN_S:.0f} s and is killed", file=sys.stderr)
            process.kill()
            process.wait()
        except KeyboardInterrupt:
            print("asked again: what still runs is killed", file=sys.stderr)
            for late in running.values():
                late.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
