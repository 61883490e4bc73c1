"""Answers that a reader may have already: entity tags (RFC 9110, 8.8.3 and 13.1.2)."""


def matches(if_none_match: str, tag: str) -> bool:
    """By weak comparison."""
    told = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in told or "*" in told
