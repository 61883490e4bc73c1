"""What an event refers to: its identifiers in normal form, its subject, its actor, its channel."""

from collections.abc import Mapping

from schemas.catalogue import CHANNELS
from schemas.identifiers import KINDS, IdentifierError, normalise, subject_key
from schemas.tokens import clean_text, identifier_value
from services.expected import instead_of
from services.failures import Rejected
from services.ingest.domain.rules import Plan, Rules
from services.ingest.domain.sources import Terms

ACTORS = ("customer_no", "login", "card_no", "device_id", "phone")
_KINDS = frozenset(KINDS)


def admit_identifiers(given: Mapping[str, str], rules: Rules, field: str = "identifiers") -> tuple[dict[str, str], str]:
    """Identifiers in normal form, cards and national ids as tokens, and the last four digits of the card, if any.

    Blocked ones (`000…`, `null`) are left out: they stand for nobody. `field`: where they stand in the event.
    """
    admitted: dict[str, str] = {}
    last4 = ""
    for kind, value in given.items():
        if kind not in _KINDS:
            message = f"no such identifier kind: {instead_of(kind, KINDS)}"
            raise Rejected("unknown_field", message, f"{field}.{clean_text(kind, rules.key)}")
        try:
            normal = normalise(kind, value, region=rules.region)
        except IdentifierError as error:
            raise Rejected("invalid_identifier", str(error), f"{field}.{kind}") from None
        if normal is None:
            continue
        admitted[kind], card_last4 = identifier_value(kind, normal, rules.key)
        last4 = last4 or card_last4
    return admitted, last4


def subject_of(identifiers: Mapping[str, str], given: Mapping[str, str], plan: Plan, source: str, rules: Rules) -> str:
    """The subject key by the catalogue's precedence; `source:<id>` for a type that is about its source.

    Raises `Rejected`, also where an identifier is missing for a link that the type must assert.
    """
    for side in plan.sides:
        if not any(kind in given for kind in side):
            raise Rejected("missing_field", f"{plan.name} requires {' or '.join(side)}", f"identifiers.{side[0]}")
    for kind in plan.subject:
        value = identifiers.get(kind)
        if value is not None:
            return subject_key(kind, value, rules.secret)
    if not plan.subject:
        return f"source:{source}"
    if blocked := next((kind for kind in plan.subject if kind in given), None):
        raise Rejected("blocked_identifier", "it is blocked: it stands for nobody", f"identifiers.{blocked}")
    wanted = plan.subject if len(plan.subject) < len(KINDS) else ("any identifier",)
    raise Rejected("missing_field", f"{plan.name} requires one of {', '.join(wanted)}", "identifiers")


def actor_key(given: Mapping[str, str], rules: Rules) -> str | None:
    """The subject key of the actor."""
    identifiers, _ = admit_identifiers(given, rules, "actor")
    for kind in ACTORS:
        if kind in identifiers:
            return subject_key(kind, identifiers[kind], rules.secret)
    if any(kind in given for kind in ACTORS):
        return None
    raise Rejected("invalid_value", f"one of {', '.join(ACTORS)} is expected", "actor")


def channel_of(given: str | None, terms: Terms, plan: Plan) -> str:
    """The event's channel, else the key's; where that allows several, the source's, else the type's most usual."""
    grant = terms.grant
    if given is not None:
        if given not in CHANNELS:
            raise Rejected("invalid_value", f"one of {', '.join(CHANNELS)} is expected", "channel")
        if not grant.allows(given):
            message = f"the key does not allow this channel, only {', '.join(grant.channels)}"
            raise Rejected("channel_not_allowed", message, "channel")
        return given
    likely = (grant.only_channel(), terms.source.channel, *plan.channels)
    usual = next((channel for channel in likely if channel and grant.allows(channel)), "")
    if not usual:
        raise Rejected("missing_field", "the key allows several channels: say which", "channel")
    return usual
