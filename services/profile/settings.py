"""What a deployment chooses about the profile: field `x_y` is the variable `COUNTERPOINT_PROFILE_X_Y`."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from services.profile.domain.customers.freshness import Patience
from services.settings import Positive, SettingsError, chosen

PREFIX = "COUNTERPOINT_PROFILE_"
Step = Literal["update", "refresh", "read"]
STEPS: tuple[Step, ...] = get_args(Step)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """`timeline_months`: how long events are kept one by one, the running month included; `dead_letter_months`: how
    long dead letters that nobody sends again. `lateness_s`, `rhythm_s`: of a source that declares none. `catalogue`,
    `reference`: directories of a bank's own files: see `policies.Files`. `steps`: what this process does of all that
    the profile does, by commas."""

    timeline_months: Positive = 25
    dead_letter_months: Positive = 25
    lateness_s: Positive = 60
    rhythm_s: Positive = 3_600
    catalogue: str = ""
    reference: str = ""
    steps: tuple[Step, ...] = STEPS

    def patience(self, partitions: int) -> Patience:
        return Patience(partitions, self.lateness_s * 1000, self.rhythm_s * 1000)


def read_choices(environment: Mapping[str, str]) -> Choices:
    """Raises `SettingsError` naming the variable."""
    said = environment.get(f"{PREFIX}STEPS", "")
    steps = said.split(",") if said else []
    if unknown := set(steps) - set(STEPS):
        raise SettingsError(f"{PREFIX}STEPS: {len(unknown)} of them unknown; there are {', '.join(STEPS)}")
    return chosen({**environment, f"{PREFIX}STEPS": steps}, PREFIX, Choices)
