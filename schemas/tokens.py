"""Card and national id numbers never travel in clear: this recognises them, and makes the keyed tokens that replace
them.

Ingest replaces the numbers before anything is logged or queued; whoever searches by a card number must make the same
token.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from schemas.identifiers import keyed_hash
from schemas.issuers import ISSUER_RANGES, LONGEST, SHORTEST, IssuerRange, is_card_number

NATIONAL_ID_TOKEN = re.compile(r"nid_[0-9a-f]{34}")


class TokenKey(msgspec.Struct, frozen=True):
    """`key_id` (two hex digits) stands in every token, so that tokens of an older key stay recognisable.

    `ranges` say which numbers count as card numbers.
    """

    secret: bytes
    key_id: str = "01"
    ranges: tuple[IssuerRange, ...] = ISSUER_RANGES

    def __repr__(self) -> str:
        return f"TokenKey({self.key_id})"


class CardNumber(NamedTuple):
    """Where in a text a card number stands, and its digits."""

    start: int
    end: int
    digits: str


# \d and the separators are meant as Unicode: full-width digits are what a Chinese keyboard writes.
_SEPARATOR = r"[\s.\-_\u2010-\u2015\u2212]{0,2}"
# begun with the first digit of a group only, and never taken back: looking twice finds no more, and takes as long again
CANDIDATE = re.compile(rf"\d(?<!\d\d)(?:{_SEPARATOR}+\d){{12,}}")
_GROUP = re.compile(r"\d+")
# UUIDs (RFC 9562), also several joined, a traceparent (W3C), a digest in hex, each also after letters such as evt: one
# random UUID in ten thousand has the digits of a card number somewhere
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TRACEPARENT = "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
_HEX_WORD = re.compile(
    rf"(?<![0-9A-Za-z])[a-z]{{0,16}}?(?=[0-9-]*[a-f])(?:{_UUID}(?:[-_.:/]?{_UUID})*|{_TRACEPARENT}|[0-9a-f]{{32,}})"
    r"(?![0-9A-Za-z])",
    re.ASCII | re.IGNORECASE,
)
_LAST_FOUR = 4
_RESIDENT_ID_LENGTH = 18
_TRACK = re.compile(r"%?B?\d{13,19}\^[^^\n]{2,26}\^[^?\n]*\??|;?\d{13,19}[=D]\d{7,}\??")
# first the province (GB/T 2260), or a 9 on a foreigner's permit: references such as 100001 20261126 0042 are none
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9\d)"
_RESIDENT_ID = re.compile(rf"(?<!\d){_PROVINCE}\d{{4}}(?:19|20)\d{{2}}[01]\d[0-3]\d{{4}}[\dXx](?!\d)", re.ASCII)
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def card_numbers(text: str, ranges: Sequence[IssuerRange] = ISSUER_RANGES) -> list[CardNumber]:
    """Every card number in a text, however its digits are grouped; digits next to it in the same group hide it.

    The digits within one UUID or digest are none: who sends random ids would lose some of the events otherwise.
    """
    found: list[CardNumber] = []
    for run in CANDIDATE.finditer(text):
        digits = run.group()
        if digits.isdigit() and digits.isascii():  # by far the most usual: one group
            if is_card_number(digits, ranges):
                found.append(CardNumber(run.start(), run.end(), digits))
        else:
            starts = run.start()
            groups = [(starts + group.start(), starts + group.end()) for group in _GROUP.finditer(digits)]
            found.extend(_in_groups(text, groups, ranges))
    words = [word.span() for word in _HEX_WORD.finditer(text)] if found else []
    return [card for card in found if not any(start <= card.start and card.end <= end for start, end in words)]


def _in_groups(text: str, groups: list[tuple[int, int]], ranges: Sequence[IssuerRange]) -> list[CardNumber]:
    """From each group on, the longest card number that ends with a group."""
    found: list[CardNumber] = []
    first = 0
    while first < len(groups):
        digits, best = "", None
        for last in range(first, len(groups)):
            digits += "".join(str(int(char)) for char in text[slice(*groups[last])])
            if len(digits) > LONGEST:
                break
            if is_card_number(digits, ranges):
                best = (last, CardNumber(groups[first][0], groups[last][1], digits))
        if best is None:
            first += 1
        else:
            found.append(best[1])
            first = best[0] + 1
    return found


def card_token(digits: str, key: TokenKey) -> str:
    """Equal numbers give equal tokens under one key."""
    return f"card_{key.key_id}{keyed_hash(key.secret, 'card', digits)}"


def national_id_token(number: str, key: TokenKey) -> str:
    """A token is returned as it is, so that a replayed event keeps its identity."""
    if NATIONAL_ID_TOKEN.fullmatch(number):
        return number
    plain = "".join(char for char in number if char.isalnum()).upper()
    return f"nid_{key.key_id}{keyed_hash(key.secret, 'national_id', plain)}"


def card_no_token(value: str, key: TokenKey) -> tuple[str, str]:
    """What stands for a `card_no`, and its last four digits ("" where the source sent no card number).

    Whatever looks like a number of 13 to 19 digits is taken as one, valid or not: a mistyped card number still
    gives most of the right one away. A source's own short card ids and tokens stay.
    """
    digits = "".join(str(int(char)) for char in value if char.isdecimal())
    if SHORTEST <= len(digits) <= LONGEST and not any(char.isalpha() for char in value):
        return card_token(digits, key), digits[-4:]
    return value, ""


def resident_ids(text: str) -> list[tuple[int, int]]:
    """Chinese resident identity numbers (GB 11643-1999: date of birth and check character hold) in a text."""
    return [match.span() for match in _RESIDENT_ID.finditer(text) if _is_resident_id(match.group())]


def clean_text(text: str, key: TokenKey) -> str:
    """Card numbers become their token (with the last four digits unless the number is all there is)."""
    if len(text) < SHORTEST or CANDIDATE.search(text) is None:
        return text
    cards = card_numbers(text, key.ranges)
    if cards and (swiped := _TRACK.sub("[track data dropped]", text)) != text:
        return clean_text(swiped, key)
    for card in reversed(cards):
        alone = card.start == 0 and card.end == len(text)
        token = card_token(card.digits, key) + ("" if alone else f" (…{card.digits[-_LAST_FOUR:]})")
        text = text[: card.start] + token + text[card.end :]
    for start, end in reversed(resident_ids(text)) if len(text) >= _RESIDENT_ID_LENGTH else ():
        text = text[:start] + national_id_token(text[start:end], key) + text[end:]
    return text


def identifier_value(kind: str, normal: str, key: TokenKey) -> tuple[str, str]:
    """What stands for an identifier in normal form, and the last four digits of a card ("" for anything else)."""
    if kind == "card_no":
        return card_no_token(normal, key)
    return (national_id_token(normal, key) if kind == "national_id" else clean_text(normal, key)), ""


def _is_resident_id(number: str) -> bool:
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _RESIDENT_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()
