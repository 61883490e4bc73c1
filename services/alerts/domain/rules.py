"""What a bank declares: rules, and the desk at which people work their alerts. Files become these structs unchecked;
`compiled.py` turns them into what runs."""

from typing import Literal, get_args

import msgspec

Kind = Literal["retention", "upsell", "guard"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Situation = Literal[
    "leaving", "money_arriving", "service_trouble", "credit_need", "life_event", "threshold", "hand_over", "growth",
    "courtesy", "care",
]  # fmt: skip
"""What rules may speak of together: one open alert for a customer and each of these."""
Role = Literal["manager", "branch", "care"]
CustomerKind = Literal["person", "company", "household", "group"]
Language = Literal["en", "zh"]
MAX_COOLDOWN_DAYS = 400
LEAST_SEVERE, MOST_SEVERE = 1, 3


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{fact}` and `{moment.field}` are filled in from what raised the alert."""

    en: str
    zh: str


EMPTY = Text("", "")


class Words(msgspec.Struct, frozen=True):
    """What whoever speaks with the customer is told."""

    suggested: Text = EMPTY
    may_say: Text = EMPTY
    must_not_say: Text = EMPTY


class RuleDeclared(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`on` names a kind of moment: the rule is judged once for each one; without it, on the facts as they stand.

    Every part of `when` must hold; of `when_any` one is enough, and a part that no registered source covers is left
    out. `severity` (1 to 3) and `value_at_stake` (home currency, major units) are CEL as well. `depends_on`: channels
    that must be heard for the rule to hold, because it speaks of an absence; what is present is a rule of its own.
    `blocks`: kinds of alerts that a guard holds back; `wording`: they go out, worded as service only, or
    told to keep off channels that the customer refused.
    `stays_said_days`: what has happened within a short window stays a reason for so long, although the window has slid
    past it; a state is none when it ends, and has 0. `respond_within_hours` are working hours; `expires_after_days`
    calendar days. `owner`: who answers for the rule and is told when it is throttled, paused or stopped, as `people` of
    a destination names him or her.
    """

    id: str
    version: int = 1
    signal: str = ""
    kind: Kind
    situation: Situation | None = None
    about: tuple[CustomerKind, ...] = ("person", "company")
    name: Text
    on: str = ""
    when: tuple[str, ...] = ()
    when_any: tuple[str, ...] = ()
    severity: str = "1.0"
    value_at_stake: str = "0.0"
    cooldown_days: int = 30
    stays_said_days: int = 0
    depends_on: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    reason: Text
    may_say: Text = EMPTY
    must_not_say: Text = EMPTY
    suggested: Text = EMPTY
    owner_role: Role = "manager"
    owner: str = ""
    respond_within_hours: int = 16
    expires_after_days: int = 30
    blocks: tuple[Kind, ...] = ()
    wording: Literal["", "service_only", "other_channels"] = ""
    enabled: bool = True


class WorkingHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local hours of a working day; which days work the reference calendar tells."""

    zone: str = "Asia/Shanghai"
    opens: int = 9
    closes: int = 17


class LabelsDeclared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `labels.yaml`: how codes are called in what people read."""

    labels: dict[str, Text] = {}


class Desk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`daily_capacity`: alerts that come to one owner in a working day; `capacities` says it for single ones. `roles`:
    to whom the rules of an `owner_role` go in place of the portfolio's owner, a manager's id or a queue.

    `tier_share`: percent of a rule's answering time by tier. `remind_at`: percent of the working hours to the service
    level after which the owner is reminded. `outcome_within_hours`: working hours after a contact in which its outcome
    is to be noted. A rule is throttled when at least `throttle_after` outcomes are known and more than
    `throttle_above` percent of them are "not relevant". A rule of absence is paused when it begins to speak of more
    than `burst_from` customers in a bank day, and of more than `burst_times` the most of any day in four weeks.
    `open_budget`: open alerts of one customer at most. `unknown_value`: by tier, what a value at stake that is not
    known counts in the order of alerts, in major units of the home currency."""

    daily_capacity: int = 20
    capacities: dict[str, int] = {}
    superiors: dict[str, str] = {}
    roles: dict[Role, str] = {}
    tier_share: dict[str, int] = msgspec.field(default_factory=lambda: {"gold": 50, "profit": 75})
    remind_at: int = 75
    outcome_within_hours: int = 40
    throttle_after: int = 20
    throttle_above: int = 60
    burst_from: int = 100
    burst_times: int = 3
    open_budget: int = 3
    unknown_value: dict[str, float] = msgspec.field(
        default_factory=lambda: {"gold": 500_000.0, "profit": 100_000.0, "general": 20_000.0}
    )
    hours: WorkingHours = WorkingHours()
