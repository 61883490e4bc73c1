"""Facts about what the customer tries to do across channels: steps that failed before somebody was asked, enquiries of
those who leave, products looked at."""

from collections import Counter

from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.contacts import Contact
from services.profile.domain.customers.holdings import value
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.states.state import Candidate

HOP_MS, HOPS_MS = 24 * HOUR_MS, 7 * DAY_MS
ENQUIRY_MS, INTEREST_MS, INTEREST_KNOWN_MS = 30 * DAY_MS, 72 * HOUR_MS, 14 * DAY_MS
_STEPS = ("failed_step", "declined")
_PEOPLE = ("call_center", "counter")


def journey_facts(seen: Picture) -> Facts:
    return {**_hops(seen), "leaving_enquiries_30d": _enquiries(seen), **_interest(seen)}


def _hops(seen: Picture) -> Facts:
    """Contacts with people about what failed on a screen or at a till within a day, before or after."""
    since = seen.now - HOPS_MS
    steps = [one for kind in _STEPS for one in _latest(seen, kind, since - HOP_MS)]
    if not steps or not seen.basics.contacts:
        return {}
    found = _by_reason(seen, steps, since)
    reason = min(found, key=lambda one: (-found[one], one), default="")
    return {"channel_hops_7d": sum(found.values()), "channel_hop_reason": reason}


def _by_reason(seen: Picture, steps: list[Candidate], since: int) -> Counter[str]:
    reasons = seen.reference.reasons
    found: Counter[str] = Counter()
    for contact in _asked(seen, since):
        reason = reasons.word(contact.reason)
        if reason and value(contact.thing, "channel") in _PEOPLE:
            found[reason] += any(
                abs(step.at - contact.at) <= HOP_MS
                and reason in reasons.of_step(str(step.values["type"]), step.values.get("reason"))
                for step in steps
            )
    return +found


def _asked(seen: Picture, since: int) -> list[Contact]:
    """Contacts that the customer began."""
    return [one for one in seen.basics.contacts if one.at > since and not one.is_outbound]


def _enquiries(seen: Picture) -> int:
    """Contacts, cases and pages, each with a reason of those who are about to go."""
    reasons, since = seen.reference.reasons, seen.now - ENQUIRY_MS
    told = [one.reason for one in _asked(seen, since)]
    told += [value(one.held.thing, "reason") for one in seen.basics.cases if (one.opened_at or 0) > since]
    told += [one.values.get("reason") for one in _latest(seen, "asked_online", since)]
    return sum([reasons.word(reason) in reasons.leaving for reason in told])


def _interest(seen: Picture) -> Facts:
    """Of the family looked at most within the 72 hours before it was last looked at, and not applied for since."""
    recent = _latest(seen, "interest_shown", seen.now - INTEREST_KNOWN_MS)
    if not recent:
        return {}
    shown = [one for one in recent if one.at > recent[-1].at - INTEREST_MS]
    families = Counter(str(one.values.get("product_family") or one.values.get("product") or "") for one in shown)
    for family in _applied(seen):
        del families[family]
    del families[""]
    family, most = min(families.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
    last = max((one.at for one in shown if family in (one.values.get("product_family"), one.values.get("product"))),
               default=seen.now)  # fmt: skip
    return {
        "interest_shown_72h": most,
        "interest_family": family,
        "hours_since_interest": (seen.now - last) // HOUR_MS,
    }


def _applied(seen: Picture) -> set[str]:
    submitted = [
        one.thing
        for one in seen.basics.things.get("application", ())
        if value(one.thing, "status") == "submitted"
        and (value(one.thing, "submitted_at") or 0) > seen.now - INTEREST_KNOWN_MS
    ]
    return {str(value(thing, "product_family") or value(thing, "product")) for thing in submitted}


def _latest(seen: Picture, kind: str, since: int) -> list[Candidate]:
    kept = seen.customer.state.head.latest.get(kind, ())
    return [one for one in kept if one.at > since and one.stands]
