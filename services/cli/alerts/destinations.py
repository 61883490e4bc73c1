"""`destinations`: where alerts go beside the inbox."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from services.alerts.adapters.destination_files import Loaded, load_destinations
from services.alerts.adapters.rule_files import PRODUCT
from services.alerts.adapters.senders import DestinationSender
from services.alerts.domain.destinations import Destination
from services.alerts.settings import read_choices
from services.cli.beside import Json
from services.cli.output import show_rows, tell
from services.cli.refusals import Refusal
from services.clock import SystemClock
from services.declared_files import directories
from services.failures import Unavailable
from services.outbound.posting import HttpSender

app = typer.Typer(no_args_is_help=True, help="Where alerts go besides the inbox: webhooks, mail, group bots.")
Catalogue = Annotated[
    Path | None, typer.Option(help="The bank's own directory of rules and destinations; COUNTERPOINT_ALERTS_CATALOGUE.")
]
DECLARED = "destinations.yaml in the directory of COUNTERPOINT_ALERTS_CATALOGUE"
COLUMNS = {"id": "Destination", "kind": "Kind", "hears": "Hears", "language": "Language", "quiet": "Quiet",
           "most_an_hour": "At most an hour", "digest_at": "Digest at", "enabled": "On"}  # fmt: skip


@app.command("list")
def list_destinations(catalogue: Catalogue = None, as_json: Json = False) -> None:
    """List the declared destinations, or the mistakes in the file. Secrets are never shown."""
    found = _loaded(catalogue).declared.destinations
    rows = [
        {name: getattr(one, name) for name in COLUMNS} | {"most_an_hour": one.most_an_hour or None} for one in found
    ]
    show_rows(rows, COLUMNS, as_json=as_json, nothing=f"there are none: declare them in {DECLARED}")


@app.command("test")
def send_test(destination: str, catalogue: Catalogue = None, as_json: Json = False) -> None:
    """Send one message marked as a test, now. Quiet hours do not delay it."""
    loaded = _loaded(catalogue)
    found = next((one for one in loaded.declared.destinations if one.id == destination), None)
    if found is None:
        raise Refusal(f"there is no destination {destination}: `counterpoint destinations list` shows them")
    try:
        asyncio.run(_test(found))
    except Unavailable as error:
        raise Refusal(f"{destination}: {error}") from None
    tell({"id": destination, "taken": True}, f"{destination} has taken it", as_json=as_json)


async def _test(destination: Destination) -> None:
    http = HttpSender()
    try:
        await DestinationSender(http, os.environ, str).test(destination, SystemClock().now_ms())
    finally:
        await http.close()


def _loaded(catalogue: Path | None) -> Loaded:
    own = str(catalogue) if catalogue else read_choices(os.environ).catalogue
    loaded = load_destinations(directories(PRODUCT, own), os.environ)
    if loaded.mistakes:
        raise Refusal("\n".join(loaded.mistakes))
    return loaded
