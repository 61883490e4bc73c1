"""Which links an event asserts: only types that the catalogue says to assert some, only from sources of record."""

from collections.abc import Mapping

import msgspec

from schemas.catalogue import Assertion, EventType
from schemas.events import ChannelEvent
from schemas.identifiers import normalise, subject_key
from schemas.instants import DAY_MS
from services.profile.domain.identity.links import ANY_ROLE, Link


def links_of(event: ChannelEvent, declared: EventType | None, secret: bytes) -> list[Link]:
    """The event must still have its clear identifiers."""
    if declared is None or not declared.asserts or not event.of_record:
        return []
    attributes = msgspec.json.decode(event.attributes, type=dict[str, object])
    found = []
    for assertion in declared.asserts:
        link = _link(event, assertion, attributes, secret)
        if link is not None:
            found.append(link)
    return found


def _link(event: ChannelEvent, assertion: Assertion, attributes: Mapping[str, object], secret: bytes) -> Link | None:
    target = next((kind for kind in assertion.targets if kind in event.identifiers), None)
    subject = _subject(event, assertion, attributes)
    if target is None or not subject:
        return None
    link = Link(
        subject=subject_key(assertion.subject, subject, secret),
        target=subject_key(target, event.identifiers[target], secret),
        role=ANY_ROLE, source=event.source, event_id=event.id,
    )  # fmt: skip
    at = event.occurred_at
    if assertion.ends:
        return msgspec.structs.replace(link, ends=(at,))
    named = attributes.get(assertion.role_attribute) if assertion.role_attribute else None
    # A sign-in repeats its link every day; a day's grain keeps that from being a write each time.
    told_at = at - at % DAY_MS if assertion.carries_past else at
    return msgspec.structs.replace(
        link, role=str(named or assertion.role), first_at=at, told_at=(told_at,), past=assertion.carries_past
    )


def _subject(event: ChannelEvent, assertion: Assertion, attributes: Mapping[str, object]) -> str | None:
    if assertion.subject_attribute is None:
        return event.identifiers.get(assertion.subject)
    value = attributes.get(assertion.subject_attribute)
    if not isinstance(value, str):
        return None
    try:
        return normalise(assertion.subject, value)
    except ValueError:
        return None
