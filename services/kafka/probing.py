"""Why no broker lets this process in. aiokafka tells its caller only that it has tried all of them, and the reason to
its own log."""

import asyncio
import ssl

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from services.kafka.cluster import Connection

PREFIX = "COUNTERPOINT_KAFKA_"


async def why_refused(connection: Connection, timeout_s: float) -> str | None:
    """Asks the brokers one by one. None where one lets in; the message never holds a password."""
    security = {name: value for name, value in connection.items() if name != "bootstrap_servers"}
    why: str | None = None
    for server in connection["bootstrap_servers"].split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(timeout_s):
                reached = await create_conn(host, int(port), request_timeout_ms=int(timeout_s * 1000), **security)
        except (KafkaError, OSError, ValueError) as error:  # TimeoutError and ssl.SSLError are OSErrors
            why = f"{server.strip()}: {_in_words(error)}"
        else:
            reached.close()
            return None
    return why


def _in_words(error: Exception) -> str:
    if isinstance(error, SaslAuthenticationFailed):
        return f"the broker refuses the name or its password: {PREFIX}SASL_USERNAME, {PREFIX}SASL_PASSWORD_FILE"
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"the broker does not know this way to sign in: {PREFIX}SASL_MECHANISM"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted ({error.verify_message}): {PREFIX}SSL_CAFILE says who signs"
    if isinstance(error, ssl.SSLError):
        return f"no TLS comes about ({error.reason}): {PREFIX}SECURITY_PROTOCOL says whether this port speaks it"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens: is the broker running?"
    if isinstance(error, KafkaError):
        return (
            f"the broker hangs up: does this port ask for TLS ({PREFIX}SECURITY_PROTOCOL), or for a certificate "
            f"({PREFIX}SSL_CERTFILE)?"
        )
    return f"it cannot be reached ({type(error).__name__})"
