"""When to look at a customer again although nothing happens: absences, dates, and the close of bank days."""

from collections.abc import Collection, Iterator, Mapping

from schemas.asked import Asked
from schemas.changes import Fact
from schemas.instants import DAY_MS, HOUR_MS
from schemas.moments import MOMENTS
from services.profile.domain.customers.holdings import value
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.facts.catalogue import BOOKS, DIGITAL, RUNNING, SERVICE
from services.profile.domain.facts.holdings import day_of
from services.profile.domain.facts.money import SALARY_CHANNELS
from services.profile.domain.facts.picture import Picture
from services.profile.domain.facts.running import RETURNING, steps_to_limit
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.domain.value.attendance import in_line
from services.profile.domain.value.policy import TIERS

DEPOSIT_DAYS = (30, 7, 0, -1, -8)
"""Before maturity; a day after it is seen who said nothing, and a week later that is over."""
FIXED_RATE_DAYS = (120, 30)
DORMANCY_DAYS = (30, 90, 180)
APPLICATION_HOURS, INTEREST_HOURS = (24, 72), 24
LEAST_SILENCE_DAYS, SILENCE_GAPS = 14, 3
ACTIVE_DAYS = max(moment.window_days for moment in MOMENTS.values())
"""While a window still slides over something, the facts change with every day that closes."""
SCORED_DAYS = 400
"""A usual month is one of the last twelve."""
BEHIND_MS = 36 * HOUR_MS
"""How far a source may be behind before what did not happen there is unknown."""
DAY, HOUR = "day", "hour"
_BY_HOUR = {name: fact for name, fact in RUNNING.items() if fact.unit != "days"}


def due_times(seen: Picture, told: Mapping[str, Fact], missing: Collection[str]) -> list[DueTime]:
    """The due times that are still to be judged, soonest first. One that waits for late sources stays although its time
    is over. `told`: the facts as they stand, but for those at rest; `missing`: those that are unknown."""
    now, until = seen.now, seen.customer.completeness.until
    found = {one for kind in _KINDS for one in kind(seen)}
    if seen.asked is not None:
        at_rest = RETURNING.difference(told, missing)
        found.update(_limits(seen, {**told, **dict.fromkeys(at_rest, 0.0)}, seen.asked))
    return sorted(
        [one for one in found if one.at > now or any(one.at > until.get(source, 0) for source in one.sources)]
    )


def _salary(seen: Picture) -> Iterator[DueTime]:
    salary = seen.behaviour.salary
    if salary is not None and salary.is_regular and salary.next_due_by is not None:
        by, sources = salary.next_due_by, seen.sources_of(SALARY_CHANNELS)
        # A file that comes late moves the judgement, not the payday: look again at the next closes too.
        yield DueTime(seen.reference.close_of(by) + 1, "salary", DAY, sources)
        if salary.missed:
            yield DueTime(seen.reference.next_close(seen.now), "salary_overdue", DAY, sources)


def _deposits(seen: Picture) -> Iterator[DueTime]:
    for one in seen.basics.things.get("contract", ()):
        matures = day_of(one.thing, "matures_on")
        if matures is None or not one.part.counts:
            continue
        for before in DEPOSIT_DAYS:
            yield DueTime(seen.reference.start_of(matures - before), f"deposit_{before}", DAY, ())


def _loans(seen: Picture) -> Iterator[DueTime]:
    for one in seen.basics.things.get("loan", ()):
        until = day_of(one.thing, "fixed_until")
        if until is not None and one.part.counts:
            for before in FIXED_RATE_DAYS:
                yield DueTime(seen.reference.start_of(until - before), f"fixed_rate_{before}", DAY, ())


def _cards(seen: Picture) -> Iterator[DueTime]:
    """Nearly everybody has a card, and active customers are looked at every day anyway."""
    if _is_active(seen):
        return
    for one in seen.basics.things.get("card", ()):
        last = day_of(one.thing, "expires_on")
        if last is not None and one.part.counts:
            yield DueTime(seen.reference.start_of(last + 1), "card_expired", DAY, ())


def _ends(seen: Picture) -> Iterator[DueTime]:
    """Of consents and of special care, where an end was told."""
    for part in seen.customer.parties:
        for field, entry in part.things.get(part.subject, {}).items():
            if (field == "vulnerable" or field.startswith("consent/")) and entry.value.__class__ is int:
                yield DueTime(entry.value, field.partition("/")[0] + "_ended", HOUR, ())


def _cases(seen: Picture) -> Iterator[DueTime]:
    sources = seen.sources_of(SERVICE)
    for case in seen.basics.cases:
        if case.is_open and case.due_at is not None:
            yield DueTime(case.due_at + 1, "case", HOUR, sources)


def _logins(seen: Picture) -> Iterator[DueTime]:
    logins = seen.behaviour.logins
    if logins.last_day is not None and logins.median_gap_days is not None:
        silent = max(LEAST_SILENCE_DAYS, SILENCE_GAPS * logins.median_gap_days)
        yield DueTime((logins.last_day + silent + 1) * DAY_MS, "login_silence", DAY, seen.sources_of(DIGITAL))


def _dormancy(seen: Picture) -> Iterator[DueTime]:
    last = seen.buckets.last_day("customer_debits")
    if last is not None:
        for days in DORMANCY_DAYS:
            yield DueTime((last + days + 1) * DAY_MS, f"dormant_{days}", DAY, seen.sources_of(BOOKS))


def _applications(seen: Picture) -> Iterator[DueTime]:
    for one in seen.basics.things.get("application", ()):
        started = value(one.thing, "started_at")
        if isinstance(started, int) and value(one.thing, "status") != "submitted":
            for hours in APPLICATION_HOURS:
                yield DueTime(started + hours * HOUR_MS, f"application_{hours}", HOUR, seen.sources_of(DIGITAL))


def _interest(seen: Picture) -> Iterator[DueTime]:
    """A product was looked at, and nothing followed."""
    for one in seen.customer.state.head.latest.get("interest_shown", ()):
        yield DueTime(one.at + INTEREST_HOURS * HOUR_MS, f"interest_{INTEREST_HOURS}", HOUR, seen.sources_of(DIGITAL))


def _closes(seen: Picture) -> Iterator[DueTime]:
    """Windows slide and tiers are judged at the close of a bank day. Of whom nothing is heard any more the score still
    sinks with the months that it counts."""
    if _is_active(seen) or seen.decided.candidate_tier is not None:
        yield DueTime(seen.reference.next_close(seen.now), "day_closed", DAY, ())
    elif seen.decided.tier not in (None, TIERS[0]) and _is_active(seen, SCORED_DAYS):
        month_over = first_day_of(month_of(seen.now) + 1) * DAY_MS
        yield DueTime(seen.reference.next_close(month_over), "month_closed", DAY, ())


def _is_active(seen: Picture, days: int = ACTIVE_DAYS) -> bool:
    return seen.customer.state.head.newest_at > seen.now - days * DAY_MS


def _limits(seen: Picture, told: Mapping[str, Fact], asked: Asked) -> Iterator[DueTime]:
    """When a fact that runs with time will pass a limit that a rule asks for. Active customers are looked at every day
    anyway."""
    soonest: dict[tuple[str, tuple[str, ...]], tuple[int, str]] = {}
    for name in (_BY_HOUR if _is_active(seen) else RUNNING).keys() & told.keys():
        fact = RUNNING[name]
        steps = steps_to_limit(name, told, asked)
        if steps is not None:
            sources = seen.sources_of(fact.channels) if fact.channels and fact.a_day > 0 else ()
            grain, at = HOUR, seen.now + steps * HOUR_MS
            if fact.unit == "days":  # the one that runs now may be over before the bank's
                grain, at = DAY, seen.reference.next_close(seen.now + (steps - 1) * DAY_MS)
            soonest[grain, sources] = min((at, name), soonest.get((grain, sources), (at, name)))
    for (grain, sources), (at, name) in soonest.items():
        yield DueTime(at, f"limit_{name}", grain, sources)


def _absence_of_owner(seen: Picture) -> Iterator[DueTime]:
    """The owner's, and of who stands in."""
    for manager in in_line(seen.decided.owner, seen.customer.staff):
        for name in ("from", "until"):
            at = manager.fields.get(name)
            if isinstance(at, int):
                yield DueTime(at, f"owner_absence_{name}", HOUR, ())


def _unheard(seen: Picture) -> Iterator[DueTime]:
    """A fact that is unknown because a source is behind is judged once the source has caught up."""
    behind = seen.now - BEHIND_MS
    until = seen.customer.completeness.until
    sources = tuple(sorted(source for source, reached in until.items() if reached < behind))
    if sources:
        yield DueTime(behind, "heard_again", HOUR, sources)


_KINDS = (_salary, _deposits, _loans, _cards, _ends, _cases, _logins, _dormancy, _applications, _interest, _closes,
          _absence_of_owner, _unheard)  # fmt: skip
