"""Facts about what the relation could still bring: points of the value scale's potential, and the product that similar
customers hold."""

import msgspec

from services.profile.domain.customers.customer import Decided
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.reference.offers import next_product
from services.profile.domain.states.periods import month_of
from services.profile.domain.value.value import Judged

POTENTIAL = "potential"


def potential_facts(seen: Picture) -> Facts:
    points, before = seen.judged.points(POTENTIAL), _last_month(seen.decided)
    offered = next_product(
        seen.reference.next_products, seen.customer.kind, seen.decided.tier or "", seen.judged.families, seen.bank_day
    )
    return {
        "potential_points": points,
        "potential_top": points is not None and points >= seen.top_potential,
        "potential_rising": points is not None and before is not None and points > before,
        "next_product": offered.family if offered else "",
        "next_product_share_percent": offered.share_percent if offered else 0,
    }


def note_potential(judged: Judged, decided: Decided, now: int) -> Decided:
    """Remembers the points that the month before ended with: [month, points so far, points of the month before]."""
    points, month = judged.points(POTENTIAL), month_of(now)
    known = decided.notes.get(POTENTIAL)
    if points is None or (known is not None and known[:2] == [month, points]):
        return decided
    before = None if known is None else known[2] if known[0] == month else known[1]
    return msgspec.structs.replace(decided, notes={**decided.notes, POTENTIAL: [month, points, before]})


def _last_month(decided: Decided) -> int | None:
    known = decided.notes.get(POTENTIAL)
    return None if known is None else known[2]
