"""How a deployment reads identifiers. All its services must use the same, so that a search by card or phone leads to
the subject that the events went to."""

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
