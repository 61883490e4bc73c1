"""Turns identifiers into subject keys, the same that ingest makes of the same values."""

from collections.abc import Mapping

from schemas.identifiers import KINDS, IdentifierError, normalise, subject_key
from schemas.naming import Naming
from schemas.tokens import identifier_value
from services.failures import Rejected

NEVER_IN_A_URL = frozenset({"phone", "email", "card_no", "national_id"})
"""Personal, or a card number: URLs end up in logs and histories."""


def subjects_named(given: Mapping[str, str], naming: Naming) -> dict[str, str]:
    """Identifier kind → subject key; what stands for nobody (`000…`) is left out. Raises `Rejected` naming the kind."""
    named: dict[str, str] = {}
    for kind, value in given.items():
        if kind not in KINDS:
            raise Rejected("unknown_field", f"an identifier kind is one of {', '.join(KINDS)}", "identifiers")
        try:
            normal = normalise(kind, value, region=naming.region)
        except IdentifierError as error:
            raise Rejected("invalid_identifier", str(error), kind) from None
        if normal is not None:
            named[kind] = subject_key(kind, identifier_value(kind, normal, naming.key)[0], naming.secret)
    return named
