"""What a deployment chooses, read once from `COUNTERPOINT_*` variables by a composition root and passed down."""

import difflib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta

from schemas.issuers import ISSUER_RANGES, IssuerRange, issuer_ranges
from schemas.naming import Naming
from schemas.tokens import TokenKey
from services.expected import expected

PREFIX = "COUNTERPOINT_"
MINIMUM_SECRET_LENGTH = 32
_POSTGRESQL_SAYS = ("ssl", "host", "port", "passfile", "target_session_attrs", "krbsrvname", "gsslib",
                    "prepared_statement_cache_size")  # fmt: skip
"""What the driver and SQLAlchemy take from a URL, by their own names."""

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
Chosen = TypeVar("Chosen", bound=msgspec.Struct)


class SettingsError(Exception):
    """The message names the variable and says what is wrong with it, without its value: it may be a password."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Field `x_y` is the variable `COUNTERPOINT_X_Y`. What concerns one service alone is read by that service."""

    data: str = "var"
    log: str = ""  # embedded:DIR | kafka://host:port[,host:port]; default embedded:DATA/log
    database: str = ""  # sqlite:FILE | postgresql://…; default sqlite:DATA/counterpoint.db
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ssl_cafile: str = ""  # PEM of who has signed the brokers' certificates; none: those that the system trusts
    kafka_ssl_certfile: str = ""  # PEM of a certificate of our own, where the brokers ask for one
    kafka_ssl_keyfile: str = ""  # its key
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str = ""
    kafka_sasl_password: str = ""  # better in a file
    kafka_sasl_password_file: str = ""
    redis: str = ""  # redis://host:port/number; none: notifications and rates stay in this process
    secret: str = ""  # key of tokens and customer ids; better in a file
    secret_file: str = ""  # made with a random secret when missing, mode 600; default DATA/secret with an embedded log
    host: str = "127.0.0.1"
    port: Port = 8080  # 0: a free one
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    session_timeout_ms: Annotated[int, Meta(ge=6_000)] = 10_000  # after it a silent worker loses its partitions
    batch_events: Positive = 2_000
    card_ranges: str = ""  # which numbers are card numbers, e.g. 62:16-19,51-55:16; none: those of the schemes
    event_types: str = ""  # directory of a bank's own event types; the same for every process
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"  # of phone numbers without a country code

    def __repr__(self) -> str:
        return f"Settings(data={self.data!r}, log={_scheme(self.log)}, database={_scheme(self.database)})"

    @property
    def embedded(self) -> bool:
        return self.log.startswith("embedded:")


def chosen(environment: Mapping[str, object], prefix: str, into: type[Chosen]) -> Chosen:
    """Field `x_y` from the variable `prefix` + `X_Y`, where that is not empty. Raises `SettingsError`."""
    variables = {name: environment.get(prefix + name.upper()) for name in into.__struct_fields__}
    try:
        return msgspec.convert({name: said for name, said in variables.items() if said}, into, strict=False)
    except msgspec.ValidationError as error:
        field, message = expected(error, into)
        raise SettingsError(f"{prefix}{field.upper()}: {message}") from None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises `SettingsError`. Pass `os.environ` in a composition root, a dict anywhere else."""
    given = {name.upper(): value for name, value in environment.items() if name.startswith(PREFIX)}
    known = Settings.__struct_fields__
    for name in {one.removeprefix(PREFIX).lower() for one in given} - set(known):
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        if close:  # others belong to tools beside the platform
            raise SettingsError(f"{PREFIX}{name.upper()} is unknown: did you mean {PREFIX}{close[0].upper()}?")
    settings = chosen(given, PREFIX, Settings)
    settings = msgspec.structs.replace(
        settings,
        log=settings.log or f"embedded:{settings.data}/log",
        database=settings.database or f"sqlite:{settings.data}/counterpoint.db",
    )
    _check_url("log", settings.log, ("embedded:", "kafka://"))
    _check_url("database", settings.database, ("sqlite:", "postgresql://", "postgres://"))
    _check_url("redis", settings.redis or "redis://", ("redis://", "rediss://", "unix://"))
    _card_ranges(settings)
    return settings


def _card_ranges(settings: Settings) -> tuple[IssuerRange, ...]:
    try:
        return issuer_ranges(settings.card_ranges) if settings.card_ranges else ISSUER_RANGES
    except ValueError as error:
        raise SettingsError(f"{PREFIX}CARD_RANGES: {error}") from None


def _check_url(field: str, url: str, schemes: tuple[str, ...]) -> None:
    name = PREFIX + field.upper()
    if not url.startswith(schemes):
        raise SettingsError(f"{name} must begin with one of: {' '.join(schemes)}")
    if url in ("sqlite:", "sqlite://"):
        raise SettingsError(f"{name} names no file: sqlite:PATH")
    if url.startswith("kafka:"):
        _check_brokers(name, url)
    if url.startswith(("postgres", "redis")):
        _check_parts(name, url)


def _check_brokers(name: str, url: str) -> None:
    try:
        brokers = [urlsplit(f"kafka://{one}") for one in url.removeprefix("kafka://").split(",")]
        named = all(broker.hostname and broker.port != 0 for broker in brokers)
    except ValueError:
        named = False
    if not named:
        raise SettingsError(f"{name} cannot be read: kafka://host:port, more brokers with commas between")


def _check_parts(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query))
        _ = parts.port  # judged when it is read
    except ValueError:
        raise SettingsError(
            f"{name} cannot be read: scheme://user:password@host:port/name, special signs as %40"
        ) from None
    if not url.startswith("postgres"):
        return
    if not (parts.hostname or asked.get("host")):
        raise SettingsError(f"{name} names no host: postgresql://user@host:port/name, or …@/name?host=/run/postgresql")
    if asked.keys() - _POSTGRESQL_SAYS:
        raise SettingsError(
            f"{name} says behind its `?` more than {', '.join(_POSTGRESQL_SAYS)}; `sslmode` is `ssl` here"
        )


def _scheme(url: str) -> str:
    return url.split(":", 1)[0]


def load_naming(settings: Settings) -> Naming:
    """Raises `SettingsError` as `load_secret` does."""
    return Naming(TokenKey(load_secret(settings), ranges=_card_ranges(settings)), settings.region)


def load_secret(settings: Settings) -> bytes:
    """The deployment's secret. Reads or makes the secret file; raises `SettingsError` where none may be made up."""
    if settings.secret:
        return _checked(settings.secret, f"{PREFIX}SECRET")
    if not settings.secret_file and not settings.embedded:
        # every process of a bank must make the same tokens: a secret made up here would not be the others'
        raise SettingsError(f"set {PREFIX}SECRET or {PREFIX}SECRET_FILE: services on Kafka share one secret")
    path = secret_path(settings)
    try:
        if lost := lost_secret(settings):
            raise SettingsError(lost)
        if not path.exists():
            _make_secret(path)
        return _checked(path.read_text().strip(), f"the file {path}")
    except OSError as error:
        named = "SECRET_FILE" if settings.secret_file else "DATA"
        raise SettingsError(f"{PREFIX}{named}: {path} cannot be used: {error.strerror}") from None


def secret_path(settings: Settings) -> Path:
    return Path(settings.secret_file or f"{settings.data}/secret")


def lost_secret(settings: Settings) -> str | None:
    """What to do where the file is gone with which a log of this machine was written: it is made before the log is."""
    path, written = secret_path(settings), Path(settings.log.removeprefix("embedded:"))
    if not settings.embedded or path.exists() or not written.exists():
        return None
    return f"{path} is gone, with which {written} was written: restore it; by another one every customer is another"


def _checked(secret: str, where: str) -> bytes:
    if len(secret) < MINIMUM_SECRET_LENGTH:
        raise SettingsError(f"{where} must hold at least {MINIMUM_SECRET_LENGTH} characters")
    return secret.encode()


def _make_secret(path: Path) -> None:
    """Complete or not there at all; of two processes that make it at once, one wins and both read the winner's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
