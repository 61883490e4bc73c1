"""The shapes of answers about rules."""

import msgspec

from schemas.changes import Fact
from services.alerts.domain.editions import Change, Settings
from services.alerts.domain.explaining import Status, ValueIs
from services.alerts.domain.notices import Matter
from services.alerts.domain.rules import Kind, RuleDeclared


class RuleShown(msgspec.Struct, kw_only=True):
    """`precision`: the share of its closed alerts that were relevant, 0 to 1; None while none is known. `throttled`: it
    raises nothing because too many of its alerts were not relevant; `paused`: because it concerned an unusual number of
    customers at once. `stopped`: why it cannot run. `owner`: who answers for the rule itself."""

    id: str
    version: int
    signal: str
    kind: Kind
    situation: str | None
    about: list[str]
    name: str
    reason: str
    suggested: str
    may_say: str
    must_not_say: str
    on: str | None
    when: list[str]
    when_any: list[str]
    severity: str
    value_at_stake: str
    cooldown_days: int
    depends_on: list[str]
    owner_role: str
    respond_within_hours: int
    expires_after_days: int
    blocks: list[str]
    enabled: bool
    precision: float | None
    throttled: bool
    paused: bool
    owner: str | None
    stopped: str | None


class RuleList(msgspec.Struct, kw_only=True):
    """`version` of the whole set."""

    version: str
    rules: list[RuleShown]


class Switch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    reason: str


class Switched(msgspec.Struct, kw_only=True):
    """Running workers follow within seconds."""

    rule: str
    enabled: bool
    actor: str
    at: str
    reason: str


class ConditionPart(msgspec.Struct, kw_only=True):
    """`holds`: None if it cannot be known because of `missing` facts."""

    condition: str
    holds: bool | None
    missing: list[str]


class MomentJudged(msgspec.Struct, kw_only=True):
    moment_id: str
    kind: str
    occurred_at: str


class RuleExplained(msgspec.Struct, kw_only=True):
    """`status`: of a rule that holds, what came of it: it stands in an open alert, or will (`holds`), or stood in one
    that is over (`already_said`); it was silent (`throttled`, `paused`, `cooling_down`; `passed_over`: on a moment at
    which it was so), or is `held_back`. `stays_said`: it holds no longer, and is still a reason. `parts`: all must
    hold, or one where `any_of`. `missing`: unknown now; `not_covered`: no registered source could tell.
    `held_back_by`: a guard's id, `retention_first`, `budget` or `capacity`. `why`: what broke it. `value`: what is at
    stake, None where it is unknown or `not_asked`, as of a rule that does not hold."""

    id: str
    version: int
    kind: Kind
    situation: str | None
    name: str
    status: Status
    holds: bool | None
    any_of: bool
    parts: list[ConditionPart]
    missing: list[str]
    not_covered: list[str]
    values: dict[str, Fact]
    moment: MomentJudged | None
    severity: int
    value: float | None
    value_is: ValueIs
    cooling_until: str | None
    held_back_by: str | None
    why: str | None
    alert_id: str | None


class RulesOfCustomer(msgspec.Struct, kw_only=True):
    """The customer as it stood at `version`. `up_to_date` false: more was committed, and a mistake of ours keeps it
    from being judged. `currency`: of what is at stake and of all facts that are money."""

    customer_id: str
    version: int
    as_of: str
    up_to_date: bool
    rule_set: str
    currency: str | None
    rules: list[RuleExplained]


class PrecisionShown(msgspec.Struct, kw_only=True):
    """For one rule, branch and owner; None: for all of them; an empty branch or owner: for customers without one.
    `relevant`: the share of the closed alerts, 0 to 1."""

    rule: str | None = None
    branch: str | None = None
    owner: str | None = None
    closed: int
    not_relevant: int
    relevant: float


class PrecisionList(msgspec.Struct, kw_only=True):
    outcomes: list[PrecisionShown]


class EditionShown(msgspec.Struct, kw_only=True):
    """A rule as it stood from `at` on. `declared`: as in its `file`; None if it was removed. Without `rule`: a file
    beside the rules, such as the desk, and `settings`, what it says with all that it leaves to the product; None for
    destinations, which only operators read."""

    rule: str | None
    version: int | None
    change: Change
    at: str
    actor: str
    note: str
    rule_set: str
    file: str
    declared: RuleDeclared | None
    settings: Settings | None


class EditionList(msgspec.Struct, kw_only=True):
    """The newest first."""

    editions: list[EditionShown]


class NoticeShown(msgspec.Struct, kw_only=True):
    """`began`: true at the beginning; at the end `actor` and `note` say who ended it and why. `owner`: who answers for
    the rule. `seen` of `among`: outcomes that were not relevant of all, or customers of the day against the most of any
    day before."""

    rule: str
    matter: Matter
    began: bool
    at: str
    actor: str
    owner: str | None
    seen: int
    among: int
    note: str
    said: str
    to_do: str


class NoticeList(msgspec.Struct, kw_only=True):
    """`standing`: what has not ended. `recent`: beginnings and ends, newest first."""

    standing: list[NoticeShown]
    recent: list[NoticeShown]
