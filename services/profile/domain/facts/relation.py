"""Facts about the relation: who answers, how long, contacts, cases, sign-ins, consents, life."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.contacts import Contact
from services.profile.domain.customers.holdings import HeldThing, value
from services.profile.domain.customers.person import ALL_CHANNELS, newest_entry
from services.profile.domain.customers.view import members
from services.profile.domain.facts.catalogue import DIGITAL
from services.profile.domain.facts.holdings import day_of
from services.profile.domain.facts.picture import Facts, Picture
from services.profile.domain.identity.links import COLLECTIVES
from services.profile.domain.reference.reasons import Reasons
from services.profile.domain.states.periods import month_of_day, months_after
from services.profile.domain.value.attendance import acting
from services.profile.domain.value.owners import branches

WEEK_MS, YEAR_MS = 7 * DAY_MS, 365 * DAY_MS
APPLICATION_MS = 30 * DAY_MS
BEGINNING_DAYS = 90
LOGIN_DAYS = 400


def standing_facts(seen: Picture) -> Facts:
    customer, decided = seen.customer, seen.decided
    began = relation_began(seen)
    years, in_days = (0, 0) if began is None else _anniversary(began, seen.bank_day)
    return {
        "kind": customer.kind,
        "tier": decided.tier or "",
        "tier_days": _days_since(seen, decided.tier_since),
        "owner": decided.owner or "",
        "acting_owner": acting(decided.owner, customer.staff, seen.now) or "",
        "branch": min(branches(customer), default=""),
        "former_owner": decided.former_owner or "",
        "owner_days": _days_since(seen, decided.owner_since),
        "members": len(members(customer)),
        "value_score": seen.judged.score or 0,
        "tenure_days": 0 if began is None else max(0, seen.bank_day - began),
        "anniversary_in_days": in_days,
        "anniversary_years": years,
        "began_with_salary": _began_with_salary(seen),
        "days_since_last_event": _days_since(seen, customer.state.head.newest_at),
    }


def relation_began(seen: Picture) -> int | None:
    """Day since 1970: as registered, else the first account's opening, else the first event."""
    began, first_at = _told_beginning(seen), seen.customer.state.head.first_at
    return began if began is not None or not first_at else seen.reference.day_of(first_at)


def _told_beginning(seen: Picture) -> int | None:
    days = [day for thing in seen.basics.parties if (day := day_of(thing, "registered_on")) is not None]
    times = [thing["registered_at"].value for thing in seen.basics.parties if "registered_at" in thing]
    days += [day for one in seen.basics.things.get("account", ()) if (day := _shared_since(seen, one)) is not None]
    return min([*days, *map(seen.reference.day_of, times)], default=None)


def _shared_since(seen: Picture, account: HeldThing) -> int | None:
    """Since it was opened, or later was shared with the customer: a household has it with all its past."""
    if not account.part.counts:
        return None
    opened = [day] if (day := day_of(account.thing, "opened_on")) is not None else []
    if "opened_at" in account.thing:
        opened.append(seen.reference.day_of(_first_opened(account)))
    if not opened or seen.customer.kind in COLLECTIVES:
        return min(opened, default=None)
    own = [part.from_at for part in seen.customer.parts if part.subject == account.part.subject and part.counts]
    return max(min(opened), seen.reference.day_of(min(own)))


def _first_opened(account: HeldThing) -> int:
    """Of one that was closed and opened again, when it was first heard of."""
    told: int = account.thing["opened_at"].value
    if "closed_at" not in account.thing or account.key != account.part.subject:
        return told
    return min([told, *(head.first_at for flows in account.part.all_flows for head in flows.heads if head.count)])


def _began_with_salary(seen: Picture) -> bool:
    """A beginning that nobody told is that of the data, and says nothing."""
    salary, began = seen.behaviour.salary, _told_beginning(seen)
    if salary is None or salary.first_at is None or began is None:
        return False
    return seen.reference.day_of(salary.first_at) - began <= BEGINNING_DAYS


@lru_cache(8192)
def _anniversary(began: int, today: int) -> tuple[int, int]:
    """The next one: of how many years, and in how many days."""
    years = max(1, (month_of_day(today) - month_of_day(began)) // 12)
    return next((n, day - today) for n in (years, years + 1) if (day := months_after(began, 12 * n)) >= today)


def conduct_facts(seen: Picture) -> Facts:
    logins = seen.behaviour.logins
    last_debit = seen.buckets.last_day("customer_debits") if _can_pay(seen) else None
    last_login = seen.buckets.last_day("logins")
    digital = min(seen.today, seen.complete_until(DIGITAL) // DAY_MS)
    started = [
        (at, str(value(one.thing, "product_family") or value(one.thing, "product") or ""))
        for one in seen.basics.things.get("application", ())
        if one.part.counts
        and one.part.current
        and value(one.thing, "status") in ("started", "abandoned")
        and isinstance(at := value(one.thing, "started_at"), int)
        and at > seen.now - APPLICATION_MS
    ]
    oldest = min(started, default=None)
    return {
        "days_since_last_login": 0 if last_login is None else max(0, digital - last_login),
        "usual_login_gap_days": logins.median_gap_days or 0,
        "longest_login_gap_days": logins.longest_gap_days or 0,
        "logs_in": last_login is not None and seen.today - last_login < LOGIN_DAYS,
        "days_since_customer_debit": 0 if last_debit is None else max(0, seen.today - last_debit),
        "application_open_hours": 0 if oldest is None else max(0, (seen.now - oldest[0]) // HOUR_MS),
        "application_open_family": "" if oldest is None else oldest[1],
    }


def _can_pay(seen: Picture) -> bool:
    """Not who had a share in accounts and has none any more."""
    accounts = [part.current for part in seen.customer.parts if part.kind == "account" and part.counts]
    return not accounts or any(accounts)


def contact_facts(seen: Picture) -> Facts:
    found, feedback = seen.basics.contacts, seen.customer.state.head.latest.get("feedback", ())
    if not found and not feedback:
        return {}
    week = [one for one in found if one.at > seen.now - WEEK_MS]
    asked = [one for one in week if not one.is_outbound]
    reason, most = most_told_reason(asked, seen.reference.reasons)
    last = next((one for one in reversed(feedback) if "score" in one.values), None)
    return {
        "contacts_7d": len(week),
        "contacts_30d": sum(one.at > seen.now - 30 * DAY_MS for one in found),
        "contacts_same_reason_7d": most,
        "contacts_same_reason": reason,
        "abandoned_waits_7d": sum(one.is_abandoned for one in asked),
        "days_since_last_contact": _days_since(seen, found[0].at if found else 0),
        "feedback_last_percent": score_percent(last.values) if last else 0,
        "days_since_feedback": _days_since(seen, last.at if last else 0),
    }


def most_told_reason(told: Iterable[Contact], reasons: Reasons) -> tuple[str, int]:
    """With how many contacts it was told of; empty where none of them has a reason."""
    counted = Counter(reason for one in told if (reason := reasons.word(one.reason)))
    return min(counted.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))


def score_percent(values: dict[str, object]) -> float:
    scale = values.get("scale", 10)
    return float(str(values["score"])) * 100 / (scale if isinstance(scale, int) and scale > 0 else 10)


def case_facts(seen: Picture) -> Facts:
    open_cases = [case for case in seen.basics.cases if case.stands]
    if not open_cases:
        return {}
    complaints = [case for case in open_cases if case.kind == "complaint"]
    oldest = min((case.opened_at for case in complaints if case.opened_at is not None), default=0)
    return {
        "open_cases": len(open_cases),
        "complaint_open": seen.basics.flags["complaint_open"],
        "complaint_overdue": any(case.is_overdue for case in complaints),
        "complaint_reopened": any("reopened_at" in case.held.thing for case in complaints),
        "complaint_open_days": _days_since(seen, oldest),
        "fraud_case": seen.basics.flags["fraud_case"],
    }


def person_facts(seen: Picture) -> Facts:
    parties = seen.basics.parties
    moved = newest_entry(parties, "moved_at")
    footprint = newest_entry(parties, "outside_footprint")
    marketing = seen.basics.consents.get("marketing", {})
    refused = [channel for channel, said in marketing.items() if not said["given"]]
    lives = [(entry.value, name[5:]) for thing in parties for name, entry in thing.items() if name.startswith("life/")]
    last = max(lives, default=(0, ""))
    return {
        "vulnerable": seen.basics.flags["vulnerable"],
        "bereaved": seen.basics.flags["bereaved"],
        "separated": any(kind in ("divorce", "separation") and at > seen.now - YEAR_MS for at, kind in lives),
        "days_since_life_event": _days_since(seen, last[0]),
        "last_life_event": last[1],
        "days_since_move": _days_since(seen, moved.value if moved else 0),
        "outside_footprint": bool(footprint and footprint.value and moved and footprint.stamp >= moved.stamp),
        "marketing_consent": any(said["given"] for said in marketing.values()) and ALL_CHANNELS not in refused,
        "marketing_refused": ALL_CHANNELS in refused,
        "marketing_channels_refused": len([channel for channel in refused if channel != ALL_CHANNELS]),
    }


def _days_since(seen: Picture, at: int) -> int:
    return max(0, (seen.now - at) // DAY_MS) if at else 0
