"""Which subjects somebody means who names identifiers: the same keys that ingest makes of the same values."""

from collections.abc import Mapping

from schemas.identifiers import KINDS, IdentifierError, normalise, subject_key
from schemas.tokens import TokenKey, card_no_token, card_numbers, card_token, national_id_token, resident_ids
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
            named[kind] = subject_key(kind, _token(kind, normal, key), secret)
    return named


def _token(kind: str, normal: str, key: TokenKey) -> str:
    if kind == "card_no":
        return card_no_token(normal, key)[0]
    if kind == "national_id":
        return national_id_token(normal, key)
    # an account number that could be a card or a national id was taken for one at acceptance
    for card in card_numbers(normal, key.ranges):
        if (card.start, card.end) == (0, len(normal)):
            return card_token(card.digits, key)
    return national_id_token(normal, key) if (0, len(normal)) in resident_ids(normal) else normal
