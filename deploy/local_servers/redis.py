"""Redis of the system's packages, without persistence: the platform may lose it at any time."""

import signal
import socket
from pathlib import Path

from deploy.local_servers.system import find_program


class Redis:
    name = "redis"
    stop_signal = signal.SIGTERM
    user = None

    def prepare(self, home: Path, port: int) -> None:
        settings = f'bind 127.0.0.1\nport {port}\nsave ""\nappendonly no\ndaemonize no\ndir "{home}"\n'
        (home / "redis.conf").write_text(settings)

    def command(self, home: Path, port: int) -> list[str]:
        return [find_program("redis-server", ("redis-server",)), str(home / "redis.conf")]

    def ready(self, home: Path, port: int, log: str) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def url(self, port: int) -> str:
        return f"redis://127.0.0.1:{port}/0"
