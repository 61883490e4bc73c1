"""What a deployment chooses, read once from `COUNTERPOINT_*` variables by a composition root and passed down."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import msgspec
from msgspec import Meta

from schemas.issuers import ISSUER_RANGES, IssuerRange, issuer_ranges
from services.clock import ClockKind
from services.expected import expected

PREFIX = "COUNTERPOINT_"
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
    database_password: str = ""  # as all passwords and the secret, better in a file
    database_password_file: str = ""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ssl_cafile: str = ""  # PEM of who has signed the brokers' certificates; none: those that the system trusts
    kafka_ssl_certfile: str = ""  # PEM of a certificate of our own, where the brokers ask for one
    kafka_ssl_keyfile: str = ""  # its key
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str = ""
    kafka_sasl_password: str = ""
    kafka_sasl_password_file: str = ""
    redis: str = ""  # redis://host:port/number; none: notifications and rates stay in this process
    redis_password: str = ""
    redis_password_file: str = ""
    secret: str = ""  # key of tokens and customer ids
    secret_file: str = ""  # made with a random secret when missing, mode 600; default DATA/secret with an embedded log
    host: str = "127.0.0.1"
    port: Port = 8080  # 0: a free one
    log_level: Literal["debug", "info", "warning", "error"] | None = None  # info; warning under `counterpoint run`
    log_format: Literal["json", "console"] | None = None  # json; console under `counterpoint run`
    clock: ClockKind = "system"  # event: a past is lived by its events' time, with `counterpoint run` alone
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
    card_ranges_of(settings)
    return msgspec.structs.replace(
        settings, database=_with_password("database", settings), redis=_with_password("redis", settings)
    )


def given(settings: Settings, field: str) -> str:
    """What `field` says, or the file that `field_file` names; "" where neither is said. Blanks and line breaks around
    it do not count. Raises `SettingsError`."""
    said, path, name = getattr(settings, field), getattr(settings, f"{field}_file"), f"{PREFIX}{field.upper()}"
    if said and path:
        raise SettingsError(f"{name}_FILE: {name} is set, too: only one of them can be meant")
    found = text_of(Path(path), f"{name}_FILE") if path else str(said)
    if path and not found:
        raise SettingsError(f"{name}_FILE: {path} is empty")
    return found


def text_of(path: Path, name: str) -> str:
    """Of a file that the variable `name` leads to. Raises `SettingsError`."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"{name}: {path} cannot be used: {why}") from None


def _with_password(field: str, settings: Settings) -> str:
    """The URL as a driver takes it."""
    url: str = getattr(settings, field)
    password, name = given(settings, f"{field}_password"), PREFIX + field.upper()
    if not password:
        return url
    parts = urlsplit(url)
    if not url.startswith(("postgres", "redis", "unix")):
        raise SettingsError(f"{name}_PASSWORD: nothing comes of it: {name} names no server")
    if parts.password:
        raise SettingsError(f"{name} holds a password, and {name}_PASSWORD or its file, too: only one can be meant")
    if field == "database" and not parts.username:
        raise SettingsError(f"{name} names no role, whose password is given: postgresql://role@host:port/name")
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{quote(password, safe='')}@{host}"))


def card_ranges_of(settings: Settings) -> tuple[IssuerRange, ...]:
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
