"""What the customer has at the bank: accounts, cards, loans, deposits, products, mandates, applications."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.instants import instant
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.parts import Part
from services.profile.domain.customers.person import span
from services.profile.domain.identity.links import COUNTED_ROLES, LISTED_ROLES, ROLE_WEIGHT, kind_of
from services.profile.domain.rendering import instant_or_none, written
from services.profile.domain.states.combine import join_things
from services.profile.domain.states.state import Thing

HOLDER = "holder/"
_PRODUCT_KINDS = {"card": "card", "loan": "loan", "contract": "term_deposit", "product": "product"}
_NOT_SHOWN = ("balance", "product", "status")


class HeldThing(msgspec.Struct, frozen=True, gc=False):
    """A thing as known in one of the customer's parts."""

    key: str
    kind: str
    thing: Thing
    part: Part


Things = Mapping[str, Sequence[HeldThing]]


def held(customer: Customer) -> dict[str, list[HeldThing]]:
    """Every thing once, by kind, in its strongest current role; things told of under another subject (a card that was
    issued on an account) come with that subject's role. One pass; all that follows picks from it."""
    found: dict[str, HeldThing] = {}
    for part in customer.parts:
        for key, thing in part.things.items():
            known = found.get(key)
            if known is None:
                found[key] = HeldThing(key, part.kind if key == part.subject else kind_of(key), thing, part)
            else:
                whole = thing if known.thing is thing else join_things(known.thing, thing)
                found[key] = HeldThing(key, known.kind, whole, min(known.part, part, key=_rank))
    kinds: dict[str, list[HeldThing]] = {}
    for one in found.values():
        kinds.setdefault(one.kind, []).append(one)
    return kinds


def _rank(part: Part) -> tuple[bool, int, int]:
    """The strongest first: a present one, then by role, then the latest."""
    return not part.current, ROLE_WEIGHT.get(part.role, 9), -part.from_at


def value(thing: Thing, name: str) -> Any:
    entry = thing.get(name)
    return None if entry is None else entry.value


def accounts(customer: Customer) -> list[dict[str, Any]]:
    own = {part.subject.partition(":")[2] for part in customer.parts if part.kind == "party"}
    found: dict[str, Part] = {}
    for part in customer.of_kind("account"):
        known = found.get(part.subject)
        found[part.subject] = part if known is None else min(known, part, key=_rank)
    return [_account(found[subject], own) for subject in sorted(found)]


def _account(part: Part, own: set[str]) -> dict[str, Any]:
    thing = part.things.get(part.subject, {})
    balance = thing.get("balance")
    holders, times = holders_of(thing), span(part)
    ended = None if part.current else times["until"]
    return {
        "account_no": part.subject.partition(":")[2],
        "balance": None if balance is None else written(balance.value),
        "as_of": None if balance is None else instant(balance.stamp[0]),
        "role": part.role,
        **times,
        "status": value(thing, "status"),
        "product": value(thing, "product"),
        "kind": value(thing, "account_kind"),
        "branch": value(thing, "branch"),
        "opened_at": instant_or_none(value(thing, "opened_at")),
        "closed_at": instant_or_none(value(thing, "closed_at")),
        # of an account that is the customer's no more, who held it then is known, and no more
        "holders": [{**one, "until": ended if one["customer_no"] in own else None} for one in holders],
        "other_holders": sum(one["role"] in COUNTED_ROLES and one["customer_no"] not in own for one in holders),
    }


def holders_of(thing: Thing) -> list[dict[str, str]]:
    told = sorted([(field, entry.value) for field, entry in thing.items() if field.startswith(HOLDER) and entry.value])
    return [{"customer_no": field[len(HOLDER) :], "role": role} for field, role in told]


def signatories(shown: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Who may act on the accounts without holding them."""
    return [
        {"customer_no": holder["customer_no"], "role": holder["role"], "account_no": account["account_no"]}
        for account in shown
        for holder in account["holders"]
        if holder["role"] in LISTED_ROLES and holder["until"] is None
    ]


def products(things: Things) -> list[dict[str, Any]]:
    return [
        {
            "kind": _PRODUCT_KINDS[one.kind],
            "id": one.key.partition(":")[2],
            "product": value(one.thing, "product"),
            "status": value(one.thing, "status"),
            "role": one.part.role,
            "details": _details(one.thing),
        }
        for one in sorted([one for kind in _PRODUCT_KINDS for one in things.get(kind, ())], key=_key)
        if one.thing
    ]


def mandates(things: Things) -> list[dict[str, Any]]:
    return [_with_id("mandate_id", one) for one in sorted(things.get("mandate", ()), key=_key)]


def applications(things: Things) -> list[dict[str, Any]]:
    return [_with_id("application_id", one) for one in sorted(things.get("application", ()), key=_key)]


def _with_id(name: str, one: HeldThing) -> dict[str, Any]:
    shown = {"product": value(one.thing, "product"), "status": value(one.thing, "status")}
    return {name: one.key.partition(":")[2], **shown, "details": _details(one.thing)}


def _details(thing: Thing) -> dict[str, Any]:
    return {
        name: instant_or_none(entry.value) if name.endswith("_at") else written(entry.value)
        for name, entry in sorted(thing.items())
        if name not in _NOT_SHOWN
    }


def _key(one: HeldThing) -> str:
    return one.key
