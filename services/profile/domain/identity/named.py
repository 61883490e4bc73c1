"""Which subjects somebody means who names identifiers: the same keys that ingest makes of the same values."""

from collections.abc import Mapping

from schemas.identifiers import KINDS, IdentifierError, normalise, subject_key
from schemas.tokens import TokenKey, identifier_value
from services.failures import Rejected

NEVER_IN_A_URL = frozenset({"phone", "email", "card_no", "national_id"})
"""Personal, or a card number: URLs end up in logs and histories."""


def subjects_named(given: Mapping[str, str], secret: bytes, region: str) -> dict[str, str]:
    """Identifier kind → subject key; what stands for nobody (`000…`) is left out. Raises `Rejected` naming the kind."""
    key = TokenKey(secret)
    named: dict[str, str] = {}
    for kind, value in given.items():
        if kind not in KINDS:
            raise Rejected("unknown_field", f"an identifier kind is one of {', '.join(KINDS)}", "identifiers")
        try:
            normal = normalise(kind, value, region=region)
        except IdentifierError as error:
            raise Rejected("invalid_identifier", str(error), kind) from None
        if normal is not None:
            named[kind] = subject_key(kind, identifier_value(kind, normal, key)[0], secret)
    return named
