"""`alerts day`: what somebody does today, in the order in which to do it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, NamedTuple

import typer

from services.alerts.domain.team import ANSWERABLE
from services.cli.alerts.pages import alerts_asked
from services.cli.alerts.words import MORE_ANOTHER_DAY, NOTHING_TODAY, headed, worded
from services.cli.asking import Token, Url, asking
from services.cli.beside import Data, Json, Language
from services.cli.output import LEFT_OUT, Row, show_json, show_rows
from services.cli.refusals import Misuse

COLUMNS = {"today": "Today", "when": "When", "customer_name": "Customer", "title": "Title", "alert_id": "Alert",
           "grade": "Grade", "state": "State", "owner": "Owner"}  # fmt: skip
ORDER = ("overdue", "visit", "comes back", "due", "new")


class Day(NamedTuple):
    """The day of whoever asks, by the clocks of the terminal."""

    now: datetime
    begins: datetime

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(days=1)

    @property
    def yesterday(self) -> datetime:
        return self.begins - timedelta(days=1)


def show_day(
    owner: Annotated[str | None, typer.Option(help="Whose day; by default that of the asker.")] = None,
    language: Language = "en",
    url: Url = None,
    token: Token = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what to do today: what is overdue, visits and calls, what comes back, what is due, what is new since
    yesterday."""
    if not owner and not token:
        raise Misuse("say whose day: --owner M-SZ-NS-3-1, or --token of a manager's own")
    inbox = asking(data, url, token)
    found, _ = alerts_asked(partial(inbox.get, "/v1/alerts", language, owner=owner, mine=None if owner else True), None)
    rows = days_work(found, Day(datetime.now(UTC), datetime.now().astimezone().replace(hour=0, minute=0, second=0)))
    if as_json:
        show_json(rows)
        return
    said = [{**row, "today": worded(row["today"], language)} for row in rows]
    nothing, left_out = worded(NOTHING_TODAY, language), worded(LEFT_OUT, language)
    show_rows(said, headed(COLUMNS, language), as_json=False, nothing=nothing, left_out=left_out)
    if len(found) > len(rows):
        typer.echo(worded(MORE_ANOTHER_DAY, language).format(count=len(found) - len(rows)))


def days_work(alerts: Iterable[Row], day: Day) -> list[Row]:
    """Each with what it asks for `today` and `when`; the others are for another day."""
    rows = [{**alert, "today": asked[0], "when": asked[1]} for alert in alerts if (asked := _asked(alert, day))]
    # what is new stays in the order of the inbox
    return sorted(rows, key=lambda row: (ORDER.index(row["today"]), row["when"] if row["today"] != "new" else ""))


def _asked(alert: Row, day: Day) -> tuple[str, str] | None:
    due, state = alert["due_at"], alert["state"]
    if state in ANSWERABLE and due and _at(due) < day.now:
        return "overdue", due
    for coming, stands, at in (("visit", "planned", "planned_at"), ("comes back", "snoozed", "snoozed_until")):
        if state == stands:
            return (coming, alert[at]) if _at(alert[at]) < day.ends else None
    if state in ANSWERABLE and due and _at(due) < day.ends:
        return "due", due
    return ("new", alert["opened_at"]) if _at(alert["opened_at"]) >= day.yesterday else None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
