"""How a deployment reads the identifiers that its channels send. One for all its services: whoever looks for a card or
a phone must come to the subject that its events came to."""

import msgspec

from schemas.tokens import TokenKey


class Naming(msgspec.Struct, frozen=True):
    """`region` (ISO 3166-1) is that of phone numbers without a country code."""

    key: TokenKey
    region: str = "CN"

    @property
    def secret(self) -> bytes:
        """The deployment's: it keys tokens, the hashes of personal identifiers, and customer ids."""
        return self.key.secret
