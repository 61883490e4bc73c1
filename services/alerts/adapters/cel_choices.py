"""Among which results an expression chooses, read off its text: `a ? x : b ? y : z` gives x, y or z."""

from collections.abc import Iterator

_OPENS, _CLOSES = "([{", ")]}"


def choices(source: str) -> tuple[str, ...]:
    """The texts of the results; the whole where nothing is chosen."""
    text = source.strip()
    while text.startswith("(") and text.endswith(")") and _closes_at(text) == len(text) - 1:
        text = text[1:-1].strip()
    asks = next((at for at, char in _bare(text) if char == "?"), None)
    if asks is None:
        return (text,)
    depth = 0
    for at, char in _bare(text):
        depth += (at > asks) * ((char == "?") - (char == ":"))
        if depth < 0:
            return *choices(text[asks + 1 : at]), *choices(text[at + 1 :])
    return (text,)


def _bare(text: str) -> Iterator[tuple[int, str]]:
    """What stands in no bracket and in no string, with its place."""
    depth, quote = 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _OPENS or char in _CLOSES:
            depth += (char in _OPENS) - (char in _CLOSES)
        elif not depth:
            yield at, char


def _closes_at(text: str) -> int:
    """Where the bracket that the text begins with ends."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char in _OPENS) - (char in _CLOSES)
        if not depth:
            return at
    return -1
