"""What is left of a thing when its subject was erased: nothing that tells of a person, and no consent given before."""

from services.profile.domain.states.personal import is_reference
from services.profile.domain.states.state import Entry, Thing

NO_REFERENCES = frozenset({"birth_date", "income"})
"""Personal fields that stand in a state themselves, because they are no text."""


def without_erased(thing: Thing, erased_at: int) -> Thing:
    """`erased_at` in ms; what happened later stays. A consent that was given is void, one that was refused stands."""
    return {name: entry for name, entry in thing.items() if entry.stamp[0] > erased_at or not _is_erased(name, entry)}


def _is_erased(name: str, entry: Entry) -> bool:
    if name.startswith("consent/"):
        return bool(entry.value)
    return name in NO_REFERENCES or (isinstance(entry.value, str) and is_reference(entry.value))
