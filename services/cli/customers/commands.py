"""`customers`: who they are and what happened, read as the API reads it."""

import os
from typing import Annotated, Any

import msgspec
import typer

from schemas.catalogue import load_catalogue
from schemas.identifiers import KINDS
from schemas.topics import CHANNEL_EVENTS
from services.cli.beside import Beside, Data, Json, Language, Who, identifier, in_deployment
from services.cli.customers.tables import EVENT_COLUMNS, FOUND_COLUMNS, event_row, found_row, print_view
from services.cli.customers.words import NOBODY, NOTHING, NOTHING_SUCH, OTHERS, headed, worded
from services.cli.declared import declarations
from services.cli.output import LEFT_OUT, console, print_table, show_json, show_rows
from services.cli.positions import milliseconds
from services.cli.refusals import Misuse, judged_by_the_line, only
from services.profile.current import CurrentCustomer
from services.profile.domain.customers.freshness import completeness
from services.profile.read import Read
from services.profile.settings import read_choices
from services.profile.timeline_filters import check_bounds, timeline_filter

app = typer.Typer(no_args_is_help=True, help="Find and read customers; merge, split and erase them.")


@app.command()
def find(
    identifiers: Annotated[
        list[str] | None, typer.Argument(metavar="KIND=VALUE", help=f"Of {', '.join(KINDS)}.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A full name.")] = None,
    language: Language = "en",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Customers that match any of the identifiers; those that match most come first."""
    if not identifiers and not name:
        raise Misuse("give an identifier such as account_no=6001000000017, or --name")
    given = [identifier(one) for one in identifiers or ()]
    asked = dict(given)
    if len(asked) < len(given):
        raise Misuse("each kind of identifier once: ask again for the other one")

    async def work(beside: Beside) -> tuple[list[Any], bool]:
        read = await reading(beside)
        customers, more = await read.find(read.query(asked, name))
        return [msgspec.json.decode(one) for one in await read.shown(customers)], more

    found, more = in_deployment(data, work)
    if as_json:
        show_json(found)
    else:
        show_rows([found_row(one) for one in found], headed(FOUND_COLUMNS, language), as_json=False,
                  nothing=worded(NOBODY, language), left_out=worded(LEFT_OUT, language))  # fmt: skip
        if more:
            typer.echo(worded(OTHERS, language))


@app.command()
def show(who: Who, language: Language = "en", data: Data = None, as_json: Json = False) -> None:
    """Show the current view of a customer."""

    async def work(beside: Beside) -> Any:
        read = await reading(beside)
        return msgspec.json.decode((await read.shown([await the_one(read, who)]))[0])

    view = in_deployment(data, work)
    if as_json:
        show_json(view)
    else:
        print_view(console(), view, language)


@app.command()
def timeline(
    who: Who,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only events of this type; repeatable.")] = None,
    channels: Annotated[
        list[str] | None, typer.Option("--channel", help="Only events of this channel; repeatable.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From this time, such as 2026-11-22T09:30+08:00.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    language: Language = "en",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List a customer's events, newest first."""
    bounds = [milliseconds(one, option) if one else None for one, option in ((since, "--since"), (until, "--until"))]
    with judged_by_the_line():
        check_bounds(channels or (), *bounds)

    async def work(beside: Beside) -> list[Any]:
        read = await reading(beside)
        view = (await the_one(read, who)).view
        page = await read.timeline(
            view, None, await timeline_filter(read, view, types or (), channels or (), *bounds), limit
        )
        return [msgspec.json.decode(event) for event in page.events]

    events = in_deployment(data, work)
    if as_json:
        show_json(events)
    elif events:
        print_table(console(), [event_row(event) for event in events], headed(EVENT_COLUMNS, language),
                    left_out=worded(LEFT_OUT, language))  # fmt: skip
    else:
        typer.echo(worded(NOTHING_SUCH if types or channels or since or until else NOTHING, language))


async def reading(beside: Beside) -> Read:
    choices = read_choices(os.environ)
    seen = await beside.store.sources_seen()
    now = await beside.now_ms()
    heard = completeness(seen, now, choices.patience(CHANNEL_EVENTS.partitions))
    policy, types = declarations(os.environ, beside.naming.secret).policy, load_catalogue(beside.settings.event_types)
    return Read(beside.store, types, beside.naming, lambda: policy, lambda: now, lambda: heard)


async def the_one(read: Read, who: str) -> CurrentCustomer:
    if "=" in who:
        found = (await read.find(read.query(dict([identifier(who)])))).customers
    else:
        found = await read.by_id(who)
    only([one.view.customer_id for one in found], who)
    return found[0]
