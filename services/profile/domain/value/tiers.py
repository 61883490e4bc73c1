"""Which tier a customer is in: chosen at the close of a bank day, with hysteresis, and kept as a decision.

The first tier is provisional until a bank day has closed on which money of the customer was known: accounts are linked
and balances told one after the other, so it is corrected at once, without hysteresis.
"""

import msgspec

from services.profile.domain.customers.customer import Decided
from services.profile.domain.reference.tables import Reference
from services.profile.domain.value.policy import TIERS, Policy, Scale
from services.profile.domain.value.value import Judged

NO_TIER = -1
NO_DAY = -1


def decide(judged: Judged, decided: Decided, policy: Policy, now: int) -> tuple[str | None, Decided]:
    """The tier, and the decision to keep. A provisional tier follows every judgement. Later there is one judgement a
    bank day, and another tier is taken once `hold_days` bank days in a row have judged the same. Without a score
    nothing changes."""
    scale = policy.scales.by_kind.get(judged.kind)
    if judged.score is None or scale is None:
        return decided.tier, decided
    reference = policy.reference
    day = reference.closed_day(now)
    if decided.tier is None or is_provisional(decided, reference, now):
        tier = _fitting(judged.score, None, scale)
        return tier, _provisional(decided, tier, now, day if judged.grounded else NO_DAY)
    if day <= decided.judged_day:
        return decided.tier, decided
    proposed = _fitting(judged.score, decided.tier, scale)
    if proposed == decided.tier:
        return decided.tier, _changed(decided, candidate_tier=None, candidate_since=0, judged_day=day)
    closed_at = reference.close_of(day)
    if proposed != decided.candidate_tier:
        decided = _changed(decided, candidate_tier=proposed, candidate_since=closed_at)
    # A close at midnight is the next day's first millisecond; the day meant is the one before it.
    since = reference.day_of(decided.candidate_since - 1)
    if reference.calendar.working_days_between(since, day) + 1 >= policy.scales.hold_days:
        return proposed, _settled(decided, proposed, closed_at, day)
    return decided.tier, _changed(decided, judged_day=day)


def is_provisional(decided: Decided, reference: Reference, now: int) -> bool:
    """Judged on no money, or on a day that has not closed yet."""
    if decided.judged_day == NO_DAY:
        return True
    is_first = decided.tier_since > reference.close_of(decided.judged_day)  # every later tier is taken at a close
    return is_first and decided.judged_day == reference.closed_day(now)


def _provisional(decided: Decided, tier: str, now: int, day: int) -> Decided:
    """`day`: the last closed day, once money is known."""
    day = max(day, decided.judged_day)
    return decided if (tier, day) == (decided.tier, decided.judged_day) else _settled(decided, tier, now, day)


def _fitting(score: int, current: str | None, scale: Scale) -> str:
    """The highest tier whose threshold is reached: `leave` for the current tier and those below it, else `enter`."""
    standing = TIERS.index(current) if current in TIERS else NO_TIER
    for threshold in scale.thresholds:
        keeps = TIERS.index(threshold.tier) <= standing
        if score >= (threshold.leave if keeps else threshold.enter):
            return threshold.tier
    return TIERS[0]


def _settled(decided: Decided, tier: str, at: int, day: int) -> Decided:
    return _changed(decided, tier=tier, tier_since=at, candidate_tier=None, candidate_since=0, judged_day=day)


def _changed(decided: Decided, **fields: object) -> Decided:
    return msgspec.structs.replace(decided, **fields)
