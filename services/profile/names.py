"""USE CASE: what customers are called, many at once, for lists that know them by their ids. Nothing is written."""

from collections.abc import Collection, Mapping

from services.profile.read import Read


async def names(read: Read, customer_ids: Collection[str]) -> Mapping[str, str]:
    """customer id → name, of those who have one as last written. Raises `Unavailable`."""
    called = await read.reader.called(sorted(set(customer_ids)))
    if not called:
        return {}
    erased = await read.reader.erased(sorted(one.lead for one in called))
    told = await read.reader.personal(sorted({one.name_ref for one in called if one.lead not in erased}))
    found = {one.customer_id: told.get(one.name_ref) for one in called if one.lead not in erased}
    for one in called:
        if one.lead in erased:  # somebody else may be called the same
            own = await read.reader.personal([one.name_ref], await read.told_of(one.lead))
            found[one.customer_id] = own.get(one.name_ref)
    return {customer_id: name for customer_id, name in found.items() if name}
