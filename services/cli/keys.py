"""`keys`: what channel systems sign in with."""

from typing import Annotated

import typer

from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.output import show_json, show_rows, when
from services.cli.refusals import Refusal
from services.clock import SystemClock
from services.ingest.registry import create_key, revoke_key

app = typer.Typer(no_args_is_help=True, help="Keys with which channel systems publish.")


@app.command()
def create(
    source: Annotated[str, typer.Argument(help="The registered source that the key is for.")],
    channel: Annotated[list[str], typer.Option(help="A channel that it may publish for; again for more; * for all.")],
    rate: Annotated[int, typer.Option(min=1, help="Events a second.")] = 10_000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once and kept nowhere."""

    async def work(beside: Beside) -> dict[str, object]:
        keys, sources = beside.stores
        secret, grant = await create_key(keys, sources, source, channel, SystemClock().now_ms(), rate)
        return {"key": secret, "key_id": grant.key_id, "source": source, "channels": channel, "rate": rate}

    made = in_deployment(data, work)
    if as_json:
        show_json(made)
    else:
        typer.echo(f"{made['key']}\n\nThis is {made['key_id']} of {source}. It is not shown again: keep it now.")


@app.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """Every key without its secret, revoked ones too."""

    async def work(beside: Beside) -> list[dict[str, object]]:
        return [
            {
                "key_id": one.key_id, "source": one.source, "channels": one.channels, "rate": one.rate,
                "created_at": when(one.created_at), "revoked_at": when(one.revoked_at),
            }
            for one in await beside.stores.keys.grants()
        ]  # fmt: skip

    columns = {"key_id": "Key", "source": "Source", "channels": "Channels", "rate": "Events/s",
               "created_at": "Created", "revoked_at": "Revoked"}  # fmt: skip
    nothing = "there are no keys: make one with `counterpoint keys create`"
    show_rows(in_deployment(data, work), columns, as_json=as_json, nothing=nothing)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")], data: Data = None) -> None:
    """Take a key back: running platforms refuse it within a second."""

    async def work(beside: Beside) -> bool:
        return await revoke_key(beside.stores.keys, key_id, SystemClock().now_ms())

    if not in_deployment(data, work):
        raise Refusal(f"there is no key {key_id}: `counterpoint keys list` shows them")
    typer.echo(f"{key_id} is revoked")
