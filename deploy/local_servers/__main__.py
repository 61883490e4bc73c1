"""`python -m deploy.local_servers up|down|status --data DIR [NAME…]`: what it prints can be read by a shell."""

import argparse
import sys
from pathlib import Path

from deploy.local_servers import NAMES, VARIABLES, Servers, SetupError, exported


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy.local_servers", description=__doc__)
    parser.add_argument("action", choices=("up", "down", "status", "erase"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; none means all")
    parser.add_argument("--data", type=Path, required=True, help="directory of the servers' data, logs and ports")
    arguments = parser.parse_intermixed_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown server {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if arguments.action == "erase" and arguments.names:
        parser.error("erase takes no NAME: it removes the data of all")
    try:
        return _run(arguments.action, arguments.names, Servers(arguments.data), arguments.data)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1


def _run(action: str, names: list[str], servers: Servers, data: Path) -> int:
    if action == "up":
        servers.up(*names)
        lines = exported({VARIABLES[name]: url for name, url in servers.running().items()})
        (data / "servers.env").write_text(lines)
        sys.stdout.write(lines)
    elif action == "down":
        for name in names:
            servers.stop(name)
        if not names:
            servers.down()
    elif action == "erase":
        servers.erase()
    else:
        running, asked = servers.running(), names or NAMES
        for name in asked:
            print(f"{name:9} {running.get(name, 'down')}")
        return 0 if running.keys() >= set(asked) else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
