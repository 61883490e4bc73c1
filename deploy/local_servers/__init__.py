"""Real Kafka, PostgreSQL and Redis as local processes: for tests, chaos runs and machines without Docker."""

from deploy.local_servers.servers import NAMES, VARIABLES, Servers, exported
from deploy.local_servers.system import SetupError

__all__ = ["NAMES", "VARIABLES", "Servers", "SetupError", "exported"]
