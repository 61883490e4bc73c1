"""Which numbers are card numbers: by their issuer's range, their length and their check digit (ISO/IEC 7812)."""

import re
from collections.abc import Sequence
from typing import NamedTuple


class IssuerRange(NamedTuple):
    """Card numbers whose first digits lie between `low` and `high` (of equal length), both included."""

    low: str
    high: str
    lengths: tuple[int, ...]


# ISO/IEC 7812 prefixes of the international schemes; a bank narrows them to what it meets.
ISSUER_RANGES: tuple[IssuerRange, ...] = (
    IssuerRange("62", "62", (16, 17, 18, 19)),  # UnionPay
    IssuerRange("8100", "8171", (16, 17, 18, 19)),  # UnionPay
    IssuerRange("4", "4", (16, 19)),  # Visa
    IssuerRange("51", "55", (16,)),  # Mastercard
    IssuerRange("2221", "2720", (16,)),  # Mastercard
    IssuerRange("34", "34", (15,)),  # American Express
    IssuerRange("37", "37", (15,)),  # American Express
    IssuerRange("3528", "3589", (16, 17, 18, 19)),  # JCB
    IssuerRange("300", "305", (14,)),  # Diners Club
    IssuerRange("36", "36", (14,)),  # Diners Club
    IssuerRange("38", "39", (14,)),  # Diners Club
    IssuerRange("6011", "6011", (16, 19)),  # Discover
    IssuerRange("644", "659", (16, 19)),  # Discover
    IssuerRange("6304", "6304", (16, 17, 18, 19)),  # Maestro
    IssuerRange("6759", "6763", (16, 17, 18, 19)),  # Maestro
)
SHORTEST, LONGEST = 13, 19
"""How many digits a card number has, whatever the ranges say."""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_WRITTEN = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?:(\d\d)(?:-(\d\d))?", re.ASCII)


def issuer_ranges(written: str) -> tuple[IssuerRange, ...]:
    """As a deployment writes them: `62:16-19, 51-55:16` are first digits and lengths. Raises ValueError, saying which
    of them is none."""
    return tuple(_range(number, one.strip()) for number, one in enumerate(written.split(","), 1))


def _range(number: int, written: str) -> IssuerRange:
    match = _WRITTEN.fullmatch(written)
    if match is None:
        raise ValueError(f"range {number}: first digits and lengths are expected, such as 62:16-19 or 622200-622299:19")
    low, high, shortest, longest = match[1], match[2] or match[1], int(match[3]), int(match[4] or match[3])
    if len(low) != len(high) or low > high:
        raise ValueError(f"range {number}: the second number has as many digits as the first and is no smaller")
    if not SHORTEST <= shortest <= longest <= LONGEST:
        raise ValueError(f"range {number}: lengths go up, from {SHORTEST} to {LONGEST} digits")
    return IssuerRange(low, high, tuple(range(shortest, longest + 1)))


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def is_card_number(digits: str, ranges: Sequence[IssuerRange] = ISSUER_RANGES) -> bool:
    length = len(digits)
    for low, high, lengths in ranges:
        if length in lengths and low <= digits[: len(low)] <= high:
            return passes_luhn(digits)
    return False
