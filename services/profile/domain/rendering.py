"""How times and money are written in a view: ISO 8601 UTC and major units with their currency."""

from functools import lru_cache
from typing import Any

import msgspec

from schemas.events import Money
from schemas.instants import instant
from schemas.money import format_money
from services.profile.domain.identity.links import BEGINNING, END
from services.profile.domain.reference.calendar import iso as day_as_date

DAYS = frozenset({"next_due", "next_due_by", "last_day"})
PARTIES = {"party": "party", "payer": "party", "own_parties": "parties"}
"""Fields of counterparty keys. The reference to a name that a key may hold stands by itself, where it is resolved."""
_PLAIN = frozenset({str, int, bool, type(None)})


def instant_or_none(at_ms: Any) -> str | None:
    """None for what was never told, and for the beginning and the end of time."""
    return instant(at_ms) if isinstance(at_ms, int) and BEGINNING < at_ms < END else None


def money(minor: int, currency: str) -> dict[str, str]:
    return {"value": _major(minor, currency), "currency": currency}


@lru_cache(65_536)
def _major(minor: int, currency: str) -> str:
    return format_money(Money(minor, currency))["value"]


def written(value: Any) -> Any:
    """A value of a register as it stands in a view: money in either of the forms that a state keeps."""
    if isinstance(value, dict) and value.keys() == {"minor", "currency"}:
        return money(value["minor"], value["currency"])
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], int) and isinstance(value[1], str):
        return money(value[0], value[1])
    return value


def record(told: msgspec.Struct, currency: str) -> dict[str, Any]:
    """A struct of learned or judged things as JSON data. `*_minor` becomes money (in the record's own currency where it
    names one), `*_at` an instant, and the days named in `DAYS` dates; see `PARTIES`."""
    shown: dict[str, Any] = {}
    own = getattr(told, "currency", currency)
    for value, (name, form) in zip(msgspec.structs.astuple(told), _forms(told.__class__), strict=True):
        if value is None or (form == "plain" and value.__class__ in _PLAIN):
            shown[name] = value
        elif form == "money":
            shown[name] = {"value": _major(value, own), "currency": own}
        elif form == "plain":
            shown[name] = _shown(value, currency)
        else:
            _show(shown, name, form, value, currency)
    shown.pop("currency", None)
    return shown


def _show(shown: dict[str, Any], name: str, form: str, value: Any, home: str) -> None:
    match form:
        case "home_money":
            shown[name] = money(value, home)
        case "instant":
            shown[name] = instant_or_none(value)
        case "date":
            shown[name] = day_as_date(value)
        case "parties":
            shown[name] = [one.partition("#")[0] for one in value]
        case _:
            shown[name], _, reference = value.partition("#")
            if reference:
                shown[f"{name}_name"] = reference


@lru_cache(64)
def _forms(record_class: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """(name in the view, form) of each field."""
    return tuple(_form(name) for name in record_class.__struct_fields__)


def _form(name: str) -> tuple[str, str]:
    if name in ("minor", "home_minor"):
        return ("amount", "money") if name == "minor" else ("home", "home_money")
    if name.endswith("_minor"):
        return name[:-6], "money"
    if name.endswith("_at"):
        return name, "instant"
    return name, "date" if name in DAYS else PARTIES.get(name, "plain")


def _shown(value: Any, currency: str) -> Any:
    if isinstance(value, msgspec.Struct):
        return record(value, currency)
    if isinstance(value, tuple):
        return [_shown(one, currency) for one in value]
    return value
