"""Opens what a command needs beside a running platform: its settings, its database, its log to read from.

Drivers and stores are imported when something is opened: who only asks over HTTP need not wait for them."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar

import msgspec
import typer

from schemas.identifiers import KINDS
from schemas.naming import Naming
from services.cli.refusals import Misuse, Refusal
from services.clock import ClockKind, SystemClock
from services.secret import load_naming
from services.settings import Settings, read_settings

if TYPE_CHECKING:
    from services.access import SqlUserStore
    from services.ingest.app import Stores
    from services.log import EventLog
    from services.profile.adapters.sql import SqlProfileStore
    from services.sql.database import Database

Data = Annotated[Path | None, typer.Option("--data", help="The deployment's directory; COUNTERPOINT_DATA.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0 picks a free port; COUNTERPOINT_PORT.")]
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]


def spoken(context: typer.Context, parameter: typer.CallbackParam, said: str) -> str:
    """For typer: what the line says, else the language of the terminal, as far as it is one of ours."""
    source = context.get_parameter_source(parameter.name or "")
    if source is None or source.name != "DEFAULT":
        return said
    terminal = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if terminal.startswith("zh") else "en"


Language = Annotated[
    Literal["en", "zh"],
    typer.Option(
        help="Language of titles, names and reasons.", show_default="that of the terminal (LANG)", callback=spoken
    ),
]
Actor = Annotated[str | None, typer.Option(help="Who decides; by default the user of this machine.")]
WHO = "A customer id, or an identifier such as customer_no=10000017."
Result = TypeVar("Result")


def who_is_meant(who: str | None) -> str | None:
    """For typer, as soon as the line is read. Raises `Misuse`."""
    if who is not None and not who.strip():
        raise Misuse(f"a customer is expected, not blank: {WHO[0].lower()}{WHO[1:]}")
    if who and "=" in who:
        identifier(who)
    elif who and not who.startswith("cus_"):  # not repeated: it may be the number of a card or a phone
        raise Misuse("give the identifier with its kind, such as customer_no=10000017")
    return who


def identifier(text: str) -> tuple[str, str]:
    """Kind and value. Raises `Misuse`."""
    kind, equals, value = text.partition("=")
    if not equals or kind not in KINDS:
        raise Misuse(f"KIND=VALUE is expected, and KIND is one of {', '.join(KINDS)}; a name: `customers find --name`")
    if not value.strip():
        raise Misuse(f"{kind}: a value is expected after the equals sign, as in customer_no=10000017")
    return kind, value


Who = Annotated[str, typer.Argument(metavar="CUSTOMER", help=WHO, callback=who_is_meant)]


class Beside(NamedTuple):
    """A deployment's database and what is kept in it."""

    settings: Settings
    naming: Naming
    database: "Database"
    store: "SqlProfileStore"
    stores: "Stores"
    users: "SqlUserStore"
    clock: ClockKind

    async def now_ms(self) -> int:
        """By the clock by which the deployment lives. Raises `Unavailable`."""
        from services.profile.domain.customers.freshness import reached

        return SystemClock().now_ms() if self.clock == "system" else reached(await self.store.sources_seen())

    @asynccontextmanager
    async def log(self) -> "AsyncIterator[EventLog]":
        """To read from only: on one machine there is one writer, the platform. Raises `Refusal` where there is none."""
        log = log_to_read(self.settings)
        try:
            yield log
        finally:
            await log.close()


def environment_of(data: Path | None, port: int | None = None, clock: ClockKind | None = None) -> dict[str, str]:
    """The process's, with what the command line says."""
    said = {"COUNTERPOINT_DATA": data, "COUNTERPOINT_PORT": port, "COUNTERPOINT_CLOCK": clock}
    return {**os.environ, **{name: str(value) for name, value in said.items() if value is not None}}


def settings_of(data: Path | None, port: int | None = None, clock: ClockKind | None = None) -> Settings:
    """As `environment_of`. Raises `SettingsError`."""
    return read_settings(environment_of(data, port, clock))


def in_deployment(data: Path | None, work: Callable[[Beside], Coroutine[Any, Any, Result]]) -> Result:
    """Runs `work` with everything opened. Raises what `opened` does."""

    async def main() -> Result:
        async with opened(settings_of(data)) as beside:
            return await work(beside)

    return asyncio.run(main())


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Beside]:
    """Raises `Refusal` where no platform has been yet, `WrongSchema`, `OtherSecret`, `SettingsError`, `Unavailable`."""
    from services.access import SqlUserStore
    from services.deployment import open_tables
    from services.ingest.adapters.sql import SqlKeyStore, SqlSourceStore
    from services.ingest.app import Stores
    from services.profile.adapters.sql import SqlProfileStore
    from services.profile.domain.identity.customer_ids import customer_id
    from services.sql.migrations import check
    from services.sql.one_clock import clock_of
    from services.sql.one_secret import refuse_other_secret

    require_database(settings)
    naming = load_naming(settings)
    database = open_tables(settings)
    try:
        await check(database)
        await refuse_other_secret(database, naming.secret)
        store = SqlProfileStore(database, partial(customer_id, secret=naming.secret))
        stores = Stores(SqlKeyStore(database), SqlSourceStore(database))
        yield Beside(settings, naming, database, store, stores, SqlUserStore(database), await clock_of(database))
    finally:
        await database.close()


def require_database(settings: Settings) -> None:
    """SQLite would make an empty file of whatever name: a mistyped directory must not become a second bank."""
    path = Path(settings.database.removeprefix("sqlite:").removeprefix("//"))
    if settings.database.startswith("sqlite:") and not path.exists():
        raise Refusal(
            f"there is no database at {path}: name the right directory with --data, or make a new one with "
            f"`counterpoint run` or `counterpoint db upgrade`"
        )


def log_to_read(settings: Settings) -> "EventLog":
    """Raises `Refusal` where the embedded log was never written, or by another release."""
    from services.deployment import open_log
    from services.embedded.damage import OtherFormat
    from services.embedded.log import EmbeddedLog

    if not settings.embedded:
        return open_log(settings, SystemClock())
    directory = Path(settings.log.removeprefix("embedded:"))
    if not (directory / "topics.sqlite").exists():
        raise Refusal(f"there is no log in {directory}: start `counterpoint run` once, it makes one")
    try:
        return EmbeddedLog(directory, read_only=True)
    except OtherFormat as other:
        raise Refusal(str(other)) from None


class Door(NamedTuple):
    """Where a running platform takes events, and a key for it."""

    url: str
    key: str


def door_of(data: Path | None, url: str | None, key: str | None) -> Door:
    """Raises `Refusal` where nobody says which key."""
    known = credential(data, "ingest_key")
    if not key and not known:
        raise Refusal(f"say with which key: --key (`counterpoint keys create` makes one), or {_elsewhere(data)}")
    return Door(address_of(data, url), key or known or "")


def address_of(data: Path | None, url: str | None) -> str:
    """What is not said stands in the file that `counterpoint run` leaves beside its data. Raises `Refusal`."""
    known = url or credential(data, "base_url")
    if not known:
        raise Refusal(f"say where the platform is: --url http://127.0.0.1:8080, or {_elsewhere(data)}")
    return known.rstrip("/")


def credential(data: Path | None, name: str) -> str | None:
    """Of the first start, from the file beside its data; None where there is none."""
    path = _credentials_of(data)
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str]).get(name) if path.exists() else None


def unknown_asker(data: Path | None) -> Refusal:
    return Refusal(f"a token is needed: --token (`counterpoint users create` makes one), or {_elsewhere(data)}")


def _elsewhere(data: Path | None) -> str:
    return f"name by --data the directory of `counterpoint run`: there is no {_credentials_of(data)}"


def _credentials_of(data: Path | None) -> Path:
    return Path(settings_of(data).data) / "credentials.json"
