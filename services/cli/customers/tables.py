"""A customer on one page of a terminal: the view's parts as tables, cases and contacts on top."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from services.cli.output import Row, print_table, written

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


def print_view(console: Console, view: Row) -> None:
    console.print(f"[bold]{written(name_of(view))}[/]  {view['customer_id']}")
    if view.get("erased_at"):
        console.print(f"[yellow]erased {written(view['erased_at'])}: nothing personal from before is shown[/]")
    if not view["up_to_date"]:
        console.print("[red]not up to date: what is known since cannot be shown; `counterpoint doctor` says more[/]")
    raised = [name for name, holds in (view.get("flags") or {}).items() if holds]
    facts = {"Kind": view.get("kind"), "Tier": view.get("tier"), "Owner": owner_of(view), "Flags": raised}
    _print_facts(console, facts)
    _print_facts(console, _worth(view))
    for title, member, columns in SECTIONS:
        rows = view.get(member)
        if rows:
            print_table(console, [_row(row) for row in rows], _present(rows, columns), title=f"\n{title}")
    _print_keyed(console, "Person", view.get("person"), {"value": "Value", "source": "Source", "as_of": "As of"})
    _print_keyed(console, "Channels", view.get("channels"), {"first_at": "First", "last_at": "Last", "count": "Events"})
    consents = {f"{purpose} {channel}": one for purpose, channels in (view.get("consents") or {}).items()
                for channel, one in channels.items()}  # fmt: skip
    _print_keyed(console, "Consent", consents, {"given": "Given", "as_of": "As of"})
    _print_keyed(console, "Preference", view.get("preferences"), {"value": "Value", "as_of": "As of"})
    dimensions = {one["name"]: one for one in (view.get("value") or {}).get("dimensions", ())}
    _print_keyed(console, "Value", dimensions, {"points": "Points of 100", "weight": "Weight"})
    _print_keyed(console, "Behaviour", _learned(view), {"value": "Usually", "more": "More"})
    measures = {name: _measured(one) for name, one in (view.get("measures") or {}).items() if not _at_rest(one)}
    _print_keyed(console, "Measures other than 0", measures, {"value": "Value", "unconverted": "No rate for"})
    _print_keyed(console, "Complete up to", view.get("complete_up_to"), {"value": "Time"})
    silent = view.get("silent_sources")
    if silent:
        console.print(f"\nSilent beyond their rhythm: {written(silent)}", style="yellow")


def _print_facts(console: Console, facts: Mapping[str, Any]) -> None:
    if facts:
        console.print("   ".join(f"{name}: {written(value)}" for name, value in facts.items()), highlight=False)


def _worth(view: Row) -> Row:
    """In one line: what is held, where that stands, and with whom."""
    assets, value, household = view.get("assets") or {}, view.get("value") or {}, view.get("household")
    found = {
        "Score": value.get("score"), "Assets": assets.get("total"), "No rate for": assets.get("unconverted") or None,
        "No balance told of": [one.partition(":")[2] for one in assets.get("untold") or ()] or None,
        "Private banking": assets.get("band"), "Direction": assets.get("direction"),
    }  # fmt: skip
    if household:
        found["Household"] = f"{household['number']}, {household['members']} members"
        found["Together"] = household.get("assets")
    return {name: one for name, one in found.items() if one is not None}


def _learned(view: Row) -> Mapping[str, Row]:
    behaviour = view.get("behaviour") or {}
    found: dict[str, Row] = {}
    if salary := behaviour.get("salary"):
        payer = salary.get("payer_name") or salary["payer"]
        next_due = f", next due {salary['next_due']}" if salary.get("next_due") else ""
        found["salary"] = {"value": salary["median"], "more": f"{salary['period']} from {payer}{next_due}"}
    for flow in ("inflow", "outflow"):
        if month := behaviour.get(flow):
            found[flow] = {"value": month["median"], "more": f"a month, give or take {written(month['spread'])}"}
    if gap := (behaviour.get("logins") or {}).get("median_gap_days"):
        found["sign-ins"] = {"value": f"every {gap} days"}
    return found


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


def _print_keyed(console: Console, title: str, members: Any, columns: Mapping[str, str]) -> None:
    if isinstance(members, Mapping) and members:
        rows = [{"name": name, **_member(member)} for name, member in members.items()]
        print_table(console, rows, {"name": title, **_present(rows, columns)}, title="")


def _member(member: Any) -> Row:
    described = isinstance(member, Mapping) and member.keys() != {"value", "currency"}
    return member if described else {"value": member}


def _row(row: Row) -> Row:
    """Of a personal identifier only its keyed hash is shown where the value is not known."""
    return {**row, "value": row.get("value", row.get("key"))}


def _present(rows: Section, columns: Mapping[str, str]) -> dict[str, str]:
    """Columns that have something in them, and the first one."""
    first = next(iter(columns))
    full = {name for row in rows for name, value in _row(row).items() if value not in (None, "")}
    return {name: escape(title) for name, title in columns.items() if name in full or name == first}
