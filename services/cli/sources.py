"""`sources`: the registered systems of the channels, their parameters, and when they were last heard of."""

from typing import Annotated, Any

import msgspec
import typer

from schemas.catalogue import load_catalogue
from services.cli.beside import Beside, Data, Json, in_deployment, settings_of
from services.cli.doctor.silence import last_heard
from services.cli.output import console, print_table, show_json, show_rows, tell, when
from services.cli.refusals import Misuse, Refusal, judged_by_the_line
from services.expected import expected
from services.failures import Rejected
from services.ingest.domain.sources import Source
from services.ingest.registry import check_source, set_source

app = typer.Typer(no_args_is_help=True, help="The registered channel systems and their parameters.")
LISTS = ("of_record",)


@app.command("list")
def list_sources(data: Data = None, as_json: Json = False) -> None:
    """List all sources and when each was last heard from."""

    async def work(beside: Beside) -> list[dict[str, Any]]:
        heard = last_heard(await beside.store.sources_seen())
        return [_row(one, heard.get(one.id)) for one in await beside.stores.sources.sources()]

    columns = {"id": "Source", "channel": "Channel", "of_record": "Of record", "enabled": "On", "heard_at": "Heard"}
    nothing = "there are no sources: register one with `counterpoint sources set`"
    show_rows(in_deployment(data, work), columns, as_json=as_json, nothing=nothing)


@app.command()
def show(source: str, data: Data = None, as_json: Json = False) -> None:
    """Show all parameters of a source."""

    async def work(beside: Beside) -> dict[str, Any]:
        found = await beside.stores.sources.find(source)
        if found is None:
            raise Refusal(f"there is no source {source}: `counterpoint sources list` shows them")
        return _row(found, last_heard(await beside.store.sources_seen()).get(source))

    known = in_deployment(data, work)
    if as_json:
        show_json(known)
    else:
        rows = [{"name": name, "value": value} for name, value in known.items()]
        print_table(console(), rows, {"name": "Parameter", "value": "Value"})


@app.command("set")
def set_parameters(
    source: str,
    parameters: Annotated[list[str] | None, typer.Argument(help="name=value, as `sources show` names them.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Register a source or change its parameters; running platforms follow within a second.

    Example: counterpoint sources set atm channel=atm of_record=cash.withdrawn,cash.deposited rhythm_ms=600000
    """
    changes, catalogue = dict(_parsed(one) for one in parameters or []), load_catalogue(settings_of(data).event_types)
    with judged_by_the_line():
        check_source(_source({"id": source, **changes}), catalogue)

    async def work(beside: Beside) -> tuple[str, dict[str, Any]]:
        known = await beside.stores.sources.find(source)
        if known and not changes:
            raise Refusal(f"say what to change: `counterpoint sources show {source}` names the parameters")
        told = msgspec.to_builtins(known) if known else {"id": source}
        wanted = _source({**told, **changes})
        await set_source(beside.stores.sources, wanted, catalogue)
        heard_at = last_heard(await beside.store.sources_seen()).get(source)
        return f"{source} is {'changed' if known else 'registered'}", _row(wanted, heard_at)

    told, row = in_deployment(data, work)
    tell(row, told, as_json=as_json)


def _parsed(parameter: str) -> tuple[str, object]:
    name, equals, value = parameter.partition("=")
    if not equals or name not in Source.__struct_fields__ or name == "id":
        names = ", ".join(field for field in Source.__struct_fields__ if field != "id")
        raise Misuse(f"{parameter}: name=value is expected, with one of the names {names}")
    return name, [one for one in value.split(",") if one] if name in LISTS else value


def _source(parameters: dict[str, Any]) -> Source:
    """Raises `Rejected`."""
    try:
        return msgspec.convert(parameters, Source, strict=False)
    except msgspec.ValidationError as error:
        field, said = expected(error)
        raise Rejected("invalid_value", said, field) from None


def _row(source: Source, heard_at: int | None) -> dict[str, Any]:
    return {**msgspec.to_builtins(source), "heard_at": when(heard_at)}
