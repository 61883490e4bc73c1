"""USE CASE: what customers are called, many at once, for lists that know them by their ids. Nothing is written."""

from collections.abc import Collection, Mapping

from services.failures import Rejected
from services.profile.ports.reading import Called
from services.profile.read import Read


async def names(read: Read, customer_ids: Collection[str]) -> Mapping[str, str]:
    """customer id → name, of those who have one as last written; for a former id, of the customer that it stands for
    now. Raises `Unavailable`."""
    written = await read.reader.called(sorted(set(customer_ids)))
    now = [one if one.is_live else await _standing_for(read, one) for one in written]
    refs = {one.customer_id: (one.lead, one.name_ref) for one in now if one.name_ref}
    if not refs:
        return {}
    erased = await read.reader.erased(sorted({lead for lead, _ in refs.values()}))
    told = await read.reader.personal(sorted({ref for lead, ref in refs.values() if lead not in erased}))
    found: dict[str, str | None] = {}
    for customer_id, (lead, ref) in refs.items():
        # somebody else may be called as one who was erased
        of = await read.reader.personal([ref], await read.told_of(lead)) if lead in erased else told
        found[customer_id] = of.get(ref)
    return {customer_id: name for customer_id, name in found.items() if name}


async def _standing_for(read: Read, former: Called) -> Called:
    """Under the former id; without a name where that stands for nobody or for several."""
    try:
        found = await read.by_id(former.customer_id)
    except Rejected:
        found = []
    if len(found) != 1:
        return former._replace(name_ref=None)
    return former._replace(lead=found[0].view.lead, name_ref=found[0].view.name_ref)
