"""How a deployment proves itself to its brokers, and they to it: TLS and SASL, named as Kafka's own clients do."""

import ssl
from collections.abc import Mapping
from typing import Any

from services.settings import PREFIX, Settings, SettingsError, given


def security_of(settings: Settings) -> Mapping[str, Any]:
    """aiokafka's options. Raises `SettingsError` for what is missing, contradicts itself, or cannot be read."""
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {"security_protocol": protocol}
    _refuse_idle(settings, "kafka_ssl_", protocol.endswith("SSL"))
    _refuse_idle(settings, "kafka_sasl_", protocol.startswith("SASL"))
    if protocol.endswith("SSL"):
        options["ssl_context"] = _context(settings)
    if protocol.startswith("SASL"):
        if not settings.kafka_sasl_username:
            raise _mistake("kafka_sasl_username", f"{protocol} needs a name")
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": _password(settings),
        }
    return options


def _refuse_idle(settings: Settings, prefix: str, is_used: bool) -> None:
    """Whoever names a certificate believes that the connection is safe."""
    given = [name for name in Settings.__struct_fields__ if name.startswith(prefix)
             and getattr(settings, name) != getattr(Settings(), name)]  # fmt: skip
    if given and not is_used:
        protocol = settings.kafka_security_protocol
        raise _mistake(given[0], f"nothing comes of it: {PREFIX}KAFKA_SECURITY_PROTOCOL is {protocol}")


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile or None)
    except OSError as error:  # ssl.SSLError is one
        raise _mistake("kafka_ssl_cafile", f"the file cannot be used: {_why(error)}") from None
    if settings.kafka_ssl_certfile:
        try:
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile or None)
        except OSError as error:
            raise _mistake("kafka_ssl_certfile", f"it cannot be used with its key: {_why(error)}") from None
    elif settings.kafka_ssl_keyfile:
        raise _mistake("kafka_ssl_certfile", "a key without its certificate")
    return context


def _password(settings: Settings) -> str:
    if not (password := given(settings, "kafka_sasl_password")):
        raise _mistake("kafka_sasl_password_file", "set it: a name needs a password")
    return password


def _mistake(field: str, message: str) -> SettingsError:
    return SettingsError(f"{PREFIX}{field.upper()}: {message}")


def _why(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__
