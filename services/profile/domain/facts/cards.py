"""Facts about credit cards, as their statements tell."""

from services.profile.domain.customers.holdings import value
from services.profile.domain.facts.holdings import is_expired, minor_of
from services.profile.domain.facts.picture import Facts, Picture


def card_facts(seen: Picture) -> Facts:
    """The most used card decides, and the one that was paid in full least often."""
    cards = [
        one
        for one in seen.basics.things.get("card", ())
        if one.part.counts
        and one.part.current
        and "statement_at" in one.thing
        and value(one.thing, "status") != "blocked"
        and not is_expired(one.thing, seen.bank_day)
    ]
    if not cards:
        return {}
    used = []
    for one in cards:
        owed, limit = minor_of(seen, one.thing, "statement"), minor_of(seen, one.thing, "credit_limit")
        if owed is not None and limit:
            used.append(owed * 100 / limit)
    return {
        "card_utilisation_percent": max(used, default=None),
        "card_paid_in_full": min(_paid_in_full(seen, one.key) for one in cards),
    }


def _paid_in_full(seen: Picture, card: str) -> int:
    """How many of the latest statements say so, in a row."""
    row = 0
    for one in reversed(seen.customer.state.head.latest.get("card_statement", ())):
        if one.values.get("subject") == card:
            if not one.values.get("paid_in_full"):
                break
            row += 1
    return row
