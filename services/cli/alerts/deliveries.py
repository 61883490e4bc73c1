"""`deliveries`: what was told where, and what did not arrive."""

from typing import Annotated, Any, Literal

import typer

from services.alerts.adapters.sql_deliveries import SqlDeliveryStore
from services.alerts.domain.delivering import Delivery
from services.cli.alerts.destinations import DECLARED
from services.cli.beside import Beside, Data, Json, in_deployment
from services.cli.output import counted, show_rows, tell, when
from services.cli.refusals import Misuse, Refusal
from services.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Messages to destinations: inspect them, send undelivered ones again.")
COLUMNS = {"delivery_id": "Delivery", "destination": "Destination", "state": "State", "error": "Why",
           "happening": "Tells of", "attempts": "Tries", "next_at": "Next", "ended_at": "Ended",
           "alert_id": "Alert"}  # fmt: skip
MOST = 10_000
_ALL = "`--state all` shows every delivery"
_NOTHING = {
    "all": f"nothing has been delivered yet: alerts go to the destinations that {DECLARED} declares",
    "dead": f"whatever was to be delivered has arrived or is tried still: {_ALL}",
}


@app.command("list")
def list_deliveries(
    state: Annotated[Literal["dead", "waiting", "delivered", "dropped", "all"], typer.Option()] = "dead",
    destination: Annotated[str | None, typer.Option(help="Only to this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first; by default those that failed for good."""

    async def work(beside: Beside) -> list[dict[str, Any]]:
        found = await SqlDeliveryStore(beside.database).find(None if state == "all" else state, destination, limit)
        return [_row(one) for one in found]

    nothing = _NOTHING.get(state, f"none is {state}: {_ALL}")
    if destination:
        nothing = f"none to {destination}: without --destination there may be more"
    show_rows(in_deployment(data, work), COLUMNS, as_json=as_json, nothing=nothing)


@app.command()
def retry(
    delivery_ids: Annotated[list[str] | None, typer.Argument(help="As `deliveries list` shows them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead deliveries; --destination narrows them down.")] = False,
    destination: Annotated[str | None, typer.Option(help="With --all: only to this one.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send dead deliveries again after a fix; running platforms follow within a second."""
    if bool(delivery_ids) == every:
        raise Misuse("name deliveries, or say --all: one of the two")

    async def work(beside: Beside) -> tuple[int, int]:
        store = SqlDeliveryStore(beside.database)
        found = [one.delivery_id for one in await store.find("dead", destination, MOST)] if every else delivery_ids
        asked = set(found or ())
        return await store.retry([*asked], SystemClock().now_ms()), len(asked)

    again, asked = in_deployment(data, work)
    tell({"asked": asked, "sent_again": again}, f"sent again: {again}", as_json=as_json)
    if again < asked:
        left = counted(asked - again, f"of {asked} is", f"of {asked} are")
        raise Refusal(f"{left} not dead, or not there: `counterpoint deliveries list`")


def _row(one: Delivery) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in COLUMNS}
    return told | {
        "next_at": when(one.next_at) if one.state == "waiting" else None,
        "ended_at": when(one.ended_at or None),
    }
