"""What is remembered of one customer between two statements, besides the alerts."""

import msgspec

from schemas.changes import ProfileChange
from services.alerts.domain.alert import alert_id
from services.alerts.domain.judging import Outcome


class Firing(msgspec.Struct):
    """A rule that holds and has been acted on. `alert_id` is empty where nothing was raised (cooldown, throttled).
    `origin`: the customer that it was for before a merge at `handed_at` (ms). `lapsed`: the condition holds no longer,
    but the firing stays until `window_until`; only if the condition holds again after that does the rule fire anew."""

    rule: str
    window_until: int = 0
    alert_id: str = ""
    former_cooldown: int = 0
    origin: str = ""
    handed_at: int = 0
    lapsed: bool = False

    def is_beyond(self, change: ProfileChange) -> bool:
        """It is for a merged customer that this statement, from before the merge, does not speak for."""
        return bool(self.origin) and self.origin not in change.merged and change.changed_at <= self.handed_at


class Standing(msgspec.Struct):
    """`version`: of the newest statement acted on; `as_of`: when it was made (ms). `firings`: by key of the verdict.
    `cooled`: rule → until when, in event time, it raises nothing new. `guards`: guards that hold, with "missing" where
    they do so because a fact is unknown. `acting`: the owner, or whoever stands in now. `unknown`: rule → facts that
    were missing. `merged_into`: the customer that this one was merged into. `opened`: situation → how many alerts of it
    were opened. `erased_at`: when the customer was erased (ms), 0 for never."""

    version: int = 0
    as_of: int = 0
    kind: str = ""
    owner: str = ""
    acting: str = ""
    tier: str = ""
    firings: dict[str, Firing] = {}
    cooled: dict[str, int] = {}
    guards: dict[str, Outcome] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    merged_into: str = ""
    opened: dict[str, int] = {}
    erased_at: int = 0

    def id_to_open(self, customer_id: str, situation: str) -> str:
        """Of the next alert of this situation."""
        self.opened[situation] = self.opened.get(situation, 0) + 1
        return alert_id(customer_id, situation, self.opened[situation])

    def rest(self, rule: str, until: int) -> None:
        """Starts a cooldown (ms, in event time); one that lasts longer goes on."""
        self.cooled[rule] = max(until, self.cooled.get(rule, 0))

    def restore_cooldown(self, firing: Firing) -> None:
        """A firing that is taken back starts no cooldown."""
        if firing.former_cooldown:
            self.cooled[firing.rule] = firing.former_cooldown
        else:
            self.cooled.pop(firing.rule, None)
