"""`alerts team`: how the work of several people stands, for who leads them."""

from typing import Annotated

import typer

from services.cli.alerts.words import OF_WHEN, headed, worded
from services.cli.asking import Token, Url, asking
from services.cli.beside import Data, Json, Language
from services.cli.output import LEFT_OUT, Row, show_json, show_rows

# in the order of their worth to who leads: what needs a word today, then what came of the month
COLUMNS = {"owner": "Owner", "open": "Open", "overdue": "Overdue", "waiting": "Waiting", "unclaimed": "Unclaimed",
           "in_hand": "In hand", "planned": "Planned", "saved": "Saved", "lost": "Lost", "sold": "Sold",
           "amounts": "Sold for", "relevant": "Relevant", "not_relevant": "Not relevant",
           "unreachable": "Unreachable"}  # fmt: skip
TOGETHER = "all"


def show_team(
    owner: Annotated[str | None, typer.Option(help="Managers' ids, or queue:BRANCH, separated by commas.")] = None,
    month: Annotated[
        str | None, typer.Option(help="Month of the outcomes, such as 2026-11; by default this month.")
    ] = None,
    language: Language = "en",
    url: Url = None,
    token: Token = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what is open with each member of a team, and what came of what they closed in a month."""
    told = asking(data, url, token, "manager").get("/v1/team", language, owner=owner, month=month)
    if as_json:
        show_json(told)
        return
    rows = [*told["members"], {**told["together"], "owner": worded(TOGETHER, language)}]
    shown, left_out = [_row(one) for one in rows], worded(LEFT_OUT, language)
    show_rows(shown, headed(COLUMNS, language), as_json=False, nothing="", left_out=left_out)
    typer.echo(worded(OF_WHEN, language).format(month=told["month"]))


def _row(one: Row) -> Row:
    return {**one, "relevant": None if one["relevant"] is None else f"{one['relevant']:.0%}"}
