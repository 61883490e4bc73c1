"""`keys`: what channel systems sign in with."""

from typing import Annotated

import typer

from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.output import show_rows, tell, when
from services.cli.refusals import Refusal, judged_by_the_line
from services.clock import SystemClock
from services.ingest.domain.sources import Grant
from services.ingest.registry import check_channels, create_key

app = typer.Typer(no_args_is_help=True, help="The keys that channel systems publish with.")


@app.command()
def create(
    source: Annotated[str, typer.Argument(help="The registered source that uses the key.")],
    channel: Annotated[list[str], typer.Option(help="Channels it may publish for, separated by commas; * for all.")],
    rate: Annotated[int, typer.Option(min=1, help="Events per second.")] = 10_000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create a key. It is shown once; only a hash is stored."""
    channels = [one.strip() for said in channel for one in said.split(",")]
    with judged_by_the_line():
        check_channels(channels)

    async def work(beside: Beside) -> dict[str, object]:
        keys, sources = beside.stores
        secret, grant = await create_key(keys, sources, source, channels, SystemClock().now_ms(), rate)
        return {"key": secret, "key_id": grant.key_id, "source": source, "channels": channels, "rate": rate}

    made = in_deployment(data, work)
    told = f"{made['key']}\n\nThis is {made['key_id']} of {source}. It is not shown again: keep it now."
    tell(made, told, as_json=as_json)


@app.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """List all keys without their secrets, revoked ones included."""

    async def work(beside: Beside) -> list[dict[str, object]]:
        return [_row(one) for one in await beside.stores.keys.grants()]

    columns = {"key_id": "Key", "source": "Source", "channels": "Channels", "rate": "Events/s",
               "created_at": "Created", "revoked_at": "Revoked"}  # fmt: skip
    nothing = "there are no keys: make one with `counterpoint keys create`"
    show_rows(in_deployment(data, work), columns, as_json=as_json, nothing=nothing)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")], data: Data = None, as_json: Json = False
) -> None:
    """Revoke a key: running platforms refuse it within a second."""

    async def work(beside: Beside) -> dict[str, object]:
        keys = beside.stores.keys
        if not await keys.revoke(key_id, SystemClock().now_ms()):
            raise Refusal(f"there is no key {key_id} in force: `counterpoint keys list` shows them")
        return next(_row(one) for one in await keys.grants() if one.key_id == key_id)

    tell(in_deployment(data, work), f"{key_id} is revoked", as_json=as_json)


def _row(grant: Grant) -> dict[str, object]:
    return {
        "key_id": grant.key_id, "source": grant.source, "channels": grant.channels, "rate": grant.rate,
        "created_at": when(grant.created_at), "revoked_at": when(grant.revoked_at),
    }  # fmt: skip
