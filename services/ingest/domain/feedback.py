"""A score means something only within its scale: 90 of 10 would count as more than full praise."""

from collections.abc import Mapping
from typing import Any

from services.failures import Rejected

FEEDBACK = "feedback.given"
_USUAL_SCALE = 10


def check_score(attributes: Mapping[str, Any]) -> None:
    """Raises `Rejected`, naming the attribute."""
    scale = attributes.get("scale", _USUAL_SCALE)
    if scale < 1:
        raise Rejected("invalid_value", "1 or more is expected: the greatest possible score", "attributes.scale")
    if not 0 <= attributes["score"] <= scale:
        raise Rejected("invalid_value", f"from 0 to {scale} is expected, the scale of the score", "attributes.score")
