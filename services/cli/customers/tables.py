"""A customer on one page of a terminal: the view's parts as tables, cases and contacts on top."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from rich.console import Console

from services.cli.customers.words import (
    BEHIND,
    ERASED,
    EVERY,
    MEMBERS,
    NEXT_DUE,
    SALARY,
    SILENT,
    SPREAD,
    headed,
    worded,
)
from services.cli.output import LEFT_OUT, Row, print_table, written

FOUND_COLUMNS = {"customer_id": "Customer", "name": "Name", "kind": "Kind", "tier": "Tier", "owner": "Owner",
                 "accounts": "Accounts"}  # fmt: skip
EVENT_COLUMNS = {"occurred_at": "When", "type": "What", "amount": "Amount", "channel": "Channel", "details": "Details",
                 "about": "About"}  # fmt: skip
# title, member of the view, columns: in the order in which somebody at a counter needs them
SECTIONS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("Cases", "cases", {"case_id": "Case", "kind": "Kind", "status": "Status", "overdue": "Overdue", "due_at": "Due",
                        "reason": "Reason"}),
    ("Contacts", "contacts", {"at": "When", "channel": "Channel", "reason": "Reason", "outcome": "Outcome"}),
    ("Accounts", "accounts", {"account_no": "Account", "balance": "Balance", "as_of": "As of", "role": "Role",
                              "until": "Until", "kind": "Kind", "status": "Status", "other_holders": "Other holders"}),
    ("Products", "products", {"kind": "Kind", "id": "Id", "product": "Product", "status": "Status", "role": "Role"}),
    ("Mandates", "mandates", {"mandate_id": "Mandate", "status": "Status"}),
    ("Applications", "applications", {"application_id": "Application", "product": "Product", "status": "Status"}),
    ("Signatories", "signatories", {"customer_no": "Customer", "role": "Role", "account_no": "Account"}),
    ("Members", "members", {"customer_no": "Customer"}),
    ("Identifiers", "identifiers", {"kind": "Kind", "value": "Value", "role": "Role", "since": "Since",
                                    "until": "Until"}),
)  # fmt: skip
Section = Sequence[Row]
Say = Callable[[str], str]


def found_row(view: Row) -> Row:
    accounts = view.get("accounts") or []
    return {**view, "name": name_of(view), "owner": owner_of(view), "accounts": len(accounts)}


def event_row(event: Row) -> Row:
    amount = event.get("amount")
    is_nothing = not amount or not amount["value"].strip("0.")
    sign = "" if is_nothing else {"debit": "-", "credit": "+"}.get(str(event.get("direction")), "")
    details = {**(event.get("counterparty") or {}), **(event.get("attributes") or {})}
    return {
        **event,
        "amount": f"{sign}{amount['value']} {amount['currency']}" if amount else None,
        "about": event.get("subject"),
        "details": details or None,
    }


def name_of(view: Row) -> Any:
    known = (view.get("person") or {}).get("name")
    return known.get("value") if isinstance(known, Mapping) else known


def owner_of(view: Row) -> Any:
    owner = view.get("owner")
    return owner.get("manager_id") if isinstance(owner, Mapping) else owner


def print_view(console: Console, view: Row, language: str) -> None:
    page = _Page(console, language)
    console.print(f"[bold]{written(name_of(view))}[/]  {view['customer_id']}")
    if view.get("erased_at"):
        console.print(f"[yellow]{page.say(ERASED).format(at=written(view['erased_at']))}[/]")
    if not view["up_to_date"]:
        console.print(f"[red]{page.say(BEHIND)}[/]")
    raised = [name for name, holds in (view.get("flags") or {}).items() if holds]
    page.line({"Kind": view.get("kind"), "Tier": view.get("tier"), "Owner": owner_of(view), "Flags": raised})
    page.line(_worth(view, page.say))
    for title, member, columns in SECTIONS:
        page.rows(title, view.get(member), columns)
    page.keyed("Person", view.get("person"), {"value": "Value", "source": "Source", "as_of": "As of"})
    page.keyed("Channels", view.get("channels"), {"first_at": "First", "last_at": "Last", "count": "Events"})
    consents = {f"{purpose} {channel}": one for purpose, channels in (view.get("consents") or {}).items()
                for channel, one in channels.items()}  # fmt: skip
    page.keyed("Consent", consents, {"given": "Given", "as_of": "As of"})
    page.keyed("Preference", view.get("preferences"), {"value": "Value", "as_of": "As of"})
    dimensions = {one["name"]: one for one in (view.get("value") or {}).get("dimensions", ())}
    page.keyed("Worth", dimensions, {"points": "Points of 100", "weight": "Weight"})
    page.keyed("Behaviour", _learned(view, page.say), {"value": "Usually", "more": "More"})
    measures = {name: _measured(one) for name, one in (view.get("measures") or {}).items() if not _at_rest(one)}
    page.keyed("Measures other than 0", measures, {"value": "Value", "unconverted": "No rate for"})
    page.keyed("Complete up to", view.get("complete_up_to"), {"value": "Time"})
    if silent := view.get("silent_sources"):
        console.print("\n" + page.say(SILENT).format(sources=written(silent)), style="yellow")


class _Page:
    """What is printed of a customer, with headings in one language."""

    def __init__(self, console: Console, language: str) -> None:
        self._console, self._language = console, language
        self.say = partial(worded, language=language)

    def line(self, facts: Mapping[str, Any]) -> None:
        if facts:
            told = "   ".join(f"{self.say(name)}: {written(value)}" for name, value in facts.items())
            self._console.print(told, highlight=False)

    def rows(self, title: str, rows: Any, columns: Mapping[str, str]) -> None:
        if rows:
            self._table([_row(row) for row in rows], self._present(rows, columns), f"\n{self.say(title)}")

    def keyed(self, title: str, members: Any, columns: Mapping[str, str]) -> None:
        if isinstance(members, Mapping) and members:
            rows = [{"name": name, **_member(member)} for name, member in members.items()]
            self._table(rows, {"name": self.say(title), **self._present(rows, columns)}, "")

    def _present(self, rows: Section, columns: Mapping[str, str]) -> dict[str, str]:
        """Columns that have something in them, and the first one."""
        first = next(iter(columns))
        full = {name for row in rows for name, value in _row(row).items() if value not in (None, "")}
        shown = {name: title for name, title in columns.items() if name in full or name == first}
        return headed(shown, self._language)

    def _table(self, rows: Section, columns: Mapping[str, str], title: str) -> None:
        print_table(self._console, rows, columns, title=title, left_out=self.say(LEFT_OUT))


def _worth(view: Row, say: Say) -> Row:
    """In one line: what is held, where that stands, and with whom."""
    assets, value, household = view.get("assets") or {}, view.get("value") or {}, view.get("household")
    found = {
        "Score": value.get("score"), "Assets": assets.get("total"), "No rate for": assets.get("unconverted") or None,
        "No balance told of": [one.partition(":")[2] for one in assets.get("untold") or ()] or None,
        "Private banking": assets.get("band"), "Direction": assets.get("direction"),
    }  # fmt: skip
    if household:
        found["Household"] = say(MEMBERS).format(number=household["number"], members=household["members"])
        found["Together"] = household.get("assets")
    return {name: one for name, one in found.items() if one is not None}


def _learned(view: Row, say: Say) -> Mapping[str, Row]:
    behaviour = view.get("behaviour") or {}
    found: dict[str, Row] = {}
    if salary := behaviour.get("salary"):
        told = say(SALARY).format(period=salary["period"], payer=salary.get("payer_name") or salary["payer"])
        due = say(NEXT_DUE).format(day=salary["next_due"]) if salary.get("next_due") else ""
        found["salary"] = {"value": salary["median"], "more": told + due}
    for flow in ("inflow", "outflow"):
        if month := behaviour.get(flow):
            found[flow] = {"value": month["median"], "more": say(SPREAD).format(spread=written(month["spread"]))}
    if gap := (behaviour.get("logins") or {}).get("median_gap_days"):
        found["sign-ins"] = {"value": say(EVERY).format(days=gap)}
    return {say(name): one for name, one in found.items()}


def _at_rest(measured: Any) -> bool:
    """What has no rate is left out of the amount, and no less there for that."""
    if not isinstance(measured, Mapping):
        return not measured
    return not float(measured["value"]) and not measured.get("unconverted")


def _measured(measured: Any) -> Row:
    if not isinstance(measured, Mapping):
        return {"value": measured}
    amount = {"value": measured["value"], "currency": measured["currency"]}
    return {"value": amount, "unconverted": measured.get("unconverted")}


def _member(member: Any) -> Row:
    described = isinstance(member, Mapping) and member.keys() != {"value", "currency"}
    return member if described else {"value": member}


def _row(row: Row) -> Row:
    """Of a personal identifier only its keyed hash is shown where the value is not known."""
    return {**row, "value": row.get("value", row.get("key"))}
