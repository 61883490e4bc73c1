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
    points = seen.judged.points(POTENTIAL)
    closing, earlier = (None, None) if points is None else _closings(seen.decided)
    offered = next_product(
        seen.reference.next_products, seen.customer.kind, seen.decided.tier or "", seen.judged.families, seen.bank_day
    )
    return {
        "potential_points": points,
        "potential_top": closing is not None and closing >= seen.top_potential,
        "potential_rising": closing is not None and earlier is not None and closing > earlier,
        "next_product": offered.family if offered else "",
        "next_product_share_percent": offered.share_percent if offered else 0,
    }


def note_potential(judged: Judged, decided: Decided, now: int) -> Decided:
    """Remembers the points that the two months before ended with: [month, points so far, then, a month earlier]. What
    lies on an account for the hours between payday and rent is no potential."""
    points, month = judged.points(POTENTIAL), month_of(now)
    known = decided.notes.get(POTENTIAL)
    if points is None or (known is not None and known[:2] == [month, points]):
        return decided
    then, earlier = _closings(decided)
    if known is not None and known[0] != month:
        then, earlier = known[1], then if known[0] == month - 1 else known[1]
    return msgspec.structs.replace(decided, notes={**decided.notes, POTENTIAL: [month, points, then, earlier]})


def _closings(decided: Decided) -> tuple[int | None, int | None]:
    """Points at the end of the month before, and a month earlier."""
    noted: list[int | None] = decided.notes.get(POTENTIAL, [])
    then, earlier, *_ = *noted[2:], None, None
    return then, earlier
