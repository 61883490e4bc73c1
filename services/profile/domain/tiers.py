"""Which tier a customer is in: chosen at the close of a bank day, with hysteresis, and kept as a decision."""

import msgspec

from services.profile.domain.customer import Decided
from services.profile.domain.policy import TIERS, Policy, Scale
from services.profile.domain.value import Judged

NO_TIER = -1


def decide(judged: Judged, decided: Decided, policy: Policy, now: int) -> tuple[str | None, Decided]:
    """The tier, and what is remembered. The first judgement is immediate; later ones at most one a bank day, and
    another tier is taken once `hold_days` bank days in a row have judged the same. Without a score nothing changes."""
    scale = policy.scales.by_kind.get(judged.kind)
    if judged.score is None or scale is None:
        return decided.tier, decided
    reference = policy.reference
    day = reference.closed_day(now)
    if decided.tier is None:
        tier = _fitting(judged.score, None, scale)
        return tier, _settled(decided, tier, now, day)
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


def _fitting(score: int, current: str | None, scale: Scale) -> str:
    """The highest tier whose bar is reached; for the current tier and those below it that bar is `leave`."""
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
