"""Among which results an expression chooses, read off its text: `a ? x : b ? y : z` gives x, y or z."""

from collections.abc import Iterator

from services.alerts.adapters.cel_texts import without_texts

_OPENS, _CLOSES = "([{", ")]}"


def choices(source: str) -> tuple[str, ...]:
    """The texts of the results; the whole where nothing is chosen."""
    whole = source.strip()
    text = without_texts(whole)
    while text.startswith("(") and _closes_at(text) == len(text) - 1:
        whole = whole[1:-1].strip()
        text = without_texts(whole)
    asks = next((at for at, char in _outside(text) if char == "?"), None)
    if asks is None:
        return (whole,)
    open_choices = 0
    for at, char in _outside(text):
        if char == "?":
            open_choices += 1
        elif char == ":":
            open_choices -= 1
            if not open_choices:
                return *choices(whole[asks + 1 : at]), *choices(whole[at + 1 :])
    return (whole,)


def _outside(text: str) -> Iterator[tuple[int, str]]:
    """What stands in no bracket, with its place."""
    depth = 0
    for at, char in enumerate(text):
        if char in _OPENS:
            depth += 1
        elif char in _CLOSES:
            depth -= 1
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
