"""What the service remembers of one customer between two statements, beside the alerts themselves."""

import msgspec

from schemas.changes import ProfileChange
from services.alerts.domain.judging import Outcome


class Firing(msgspec.Struct):
    """A rule that holds and has been acted on. `alert_id` is empty where nothing was raised (cooldown, throttled).
    `origin`: for whom it was before a merge, told `handed_at` (ms). `lapsed`: the facts hold no longer, and
    it stays said until `window_until`: when they hold again after that, it is said anew."""

    rule: str
    version: int
    since: int
    occurred_at: int
    window_until: int = 0
    alert_id: str = ""
    former_cooldown: int = 0
    origin: str = ""
    handed_at: int = 0
    lapsed: bool = False

    def is_beyond(self, change: ProfileChange) -> bool:
        """Said of one of whom this statement, from before the merge, knows nothing: the next one speaks for both."""
        return bool(self.origin) and self.origin not in change.merged and change.changed_at <= self.handed_at


class Standing(msgspec.Struct):
    """`version`: the newest statement acted on. `firings` by key of the verdict. `cooled`: rule → event time until
    which it raises nothing new. `guards`: those that hold, "missing" where they do because something is unknown.
    `acting`: who answers now, the owner or who stands in. `unknown`: rule → what was missing when it could not be
    judged. `merged_into`: the customer it went into."""

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

    def restore_cooldown(self, firing: Firing) -> None:
        """What is taken back starts none."""
        if firing.former_cooldown:
            self.cooled[firing.rule] = firing.former_cooldown
        else:
            self.cooled.pop(firing.rule, None)
