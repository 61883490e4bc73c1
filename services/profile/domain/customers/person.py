"""Who the customer is, as told by its own customer numbers alone: fields, identifiers, consents, preferences."""

from collections.abc import Iterable, Iterator
from typing import Any

from schemas.identifiers import KIND_OF_SUBJECT, PERSONAL_KINDS
from schemas.instants import instant
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.parts import Part
from services.profile.domain.identity.links import COLLECTIVES
from services.profile.domain.rendering import instant_or_none, written
from services.profile.domain.states.combine import later
from services.profile.domain.states.state import Entry, Thing

FIELDS = (
    "name", "kind", "birth_date", "gender", "nationality", "phone", "email", "address", "city", "postal_code",
    "district", "segment", "language", "occupation", "employer", "marital_status", "income", "industry", "employees",
    "turnover", "legal_representative", "risk_profile", "registered_on", "registered_at", "moved_at",
)  # fmt: skip
_INSTANTS = frozenset({"registered_at", "moved_at"})
_IDENTIFIERS = frozenset(KIND_OF_SUBJECT) - {"case", "application", "mandate", "manager"}
ALL_CHANNELS = "*"
_Consents = dict[str, dict[str, Entry]]


def own_parties(customer: Customer) -> list[Thing]:
    """What was told of each customer number that *is* the customer; empty for a household or group."""
    if customer.kind in COLLECTIVES:
        return []
    return [part.things[part.subject] for part in customer.parties if part.subject in part.things]


def person(parties: list[Thing]) -> dict[str, Any]:
    """Each field with its source and time: the last writer's."""
    fields: dict[str, Any] = {}
    for name in FIELDS:
        entry = newest_entry(parties, name)
        if entry is not None:
            value = instant_or_none(entry.value) if name in _INSTANTS else written(entry.value)
            fields[name] = {"value": value, "source": entry.stamp[3], "as_of": instant(entry.stamp[0])}
    return fields


def newest_entry(parties: list[Thing], name: str) -> Entry | None:
    """The last writer among the customer's own parties."""
    if len(parties) == 1:
        return parties[0].get(name)
    entry: Entry | None = None
    for thing in parties:
        other = thing.get(name)
        if other is not None:
            entry = other if entry is None else later(entry, other)
    return entry


def identifiers(customer: Customer) -> list[dict[str, Any]]:
    """A hashed one (phone, e-mail, national id) is shown by its subject key; its clear form stands in `person`."""
    found: dict[str, Part] = {}
    for part in customer.parts:
        if part.kind in _IDENTIFIERS:
            known = found.get(part.subject)
            if known is None or (part.current, part.from_at) > (known.current, known.from_at):
                found[part.subject] = part
    return [_identifier(found[subject]) for subject in sorted(found)]


def _identifier(part: Part) -> dict[str, Any]:
    kind = KIND_OF_SUBJECT[part.kind]
    is_personal = kind in PERSONAL_KINDS
    return {
        "kind": kind,
        "role": part.role,
        "key" if is_personal else "value": part.subject if is_personal else part.subject[len(part.kind) + 1 :],
        **span(part),
    }


def span(part: Part) -> dict[str, str | None]:
    """Since and until when the subject counts; None for always."""
    return {"since": instant_or_none(part.from_at), "until": instant_or_none(part.until_at)}


def _with_prefix(thing: Thing, prefix: str) -> Iterator[tuple[str, Entry]]:
    for field, entry in thing.items():
        if field.startswith(prefix):
            yield field[len(prefix) :], entry


def consents(parties: list[Thing], now: int) -> dict[str, dict[str, Any]]:
    """purpose → contact channel (`*`: all of them) → given, as_of. Within a party the last word on a channel or on all
    channels holds, unless its time is over; across parties the most restrictive one."""
    return _shown(_joined(_consents_of(thing, now) for thing in parties))


def consents_of_all(members: list[Thing], numbers: list[Thing], now: int) -> dict[str, dict[str, Any]]:
    """As `consents` of all their numbers; given is what every member has given, and nothing where one of them has said
    nothing."""
    told = [_consents_of(thing, now) for thing in members]
    joined = _joined(_consents_of(thing, now) for thing in numbers)
    return _shown({
        purpose: {
            channel: entry for channel, entry in channels.items()
            if not entry.value or all(channel in one.get(purpose, {}) for one in told)
        }
        for purpose, channels in joined.items()
    })  # fmt: skip


def _joined(told: Iterable[_Consents]) -> _Consents:
    joined: _Consents = {}
    for one in told:
        for purpose, channels in one.items():
            known = joined.setdefault(purpose, {})
            for channel, entry in channels.items():
                other = known.get(channel)
                known[channel] = entry if other is None else _restrictive(other, entry)
    return joined


def _shown(joined: _Consents) -> dict[str, dict[str, Any]]:
    return {
        purpose: {
            channel: {"given": bool(entry.value), "as_of": instant(entry.stamp[0])}
            for channel, entry in sorted(channels.items())
        }
        for purpose, channels in sorted(joined.items())
    }


def is_over(entry: Entry, now: int) -> bool:
    """Of what holds until an end, where one was told."""
    return entry.value.__class__ is int and entry.value <= now


def _consents_of(thing: Thing, now: int) -> _Consents:
    said: _Consents = {}
    for key, entry in _with_prefix(thing, "consent/"):
        purpose, _, channel = key.rpartition("/")
        said.setdefault(purpose, {})[channel] = entry
    for channels in said.values():
        general = channels.get(ALL_CHANNELS)
        if general is not None:
            for channel, entry in channels.items():
                channels[channel] = later(entry, general)
    standing = {
        purpose: {channel: entry for channel, entry in channels.items() if not is_over(entry, now)}
        for purpose, channels in said.items()
    }
    return {purpose: channels for purpose, channels in standing.items() if channels}


def _restrictive(left: Entry, right: Entry) -> Entry:
    if bool(left.value) == bool(right.value):
        return later(left, right)
    return right if left.value else left


def preferences(parties: list[Thing]) -> dict[str, Any]:
    names = {name for thing in parties for name, _ in _with_prefix(thing, "preference/")}
    found = {}
    for name in sorted(names):
        entry = newest_entry(parties, f"preference/{name}")
        if entry is not None:
            found[name] = {"value": entry.value, "as_of": instant(entry.stamp[0])}
    return found
