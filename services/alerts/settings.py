"""What a deployment chooses about alerts: field `x_y` is the variable `COUNTERPOINT_ALERTS_X_Y`."""

from collections.abc import Mapping

import msgspec

from services.settings import chosen

PREFIX = "COUNTERPOINT_ALERTS_"


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """`catalogue`: directory of a bank's own rules, desk and labels, laid over those that come with the product."""

    catalogue: str = ""


def read_choices(environment: Mapping[str, str]) -> Choices:
    return chosen(environment, PREFIX, Choices)
