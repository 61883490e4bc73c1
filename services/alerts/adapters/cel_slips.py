"""What people write in a condition that CEL cannot read, and what they mean: the signs of other languages, of
spreadsheets and of a Chinese keyboard. CEL itself only says at which column it gave up."""

import re
import unicodedata

_NO_SIGN = re.compile(r"[^\t\r\n -~]")
_MEANT_BY = {
    "\u201c": "'", "\u201d": "'", "\u2018": "'", "\u2019": "'", "\u300c": "'", "\u300d": "'", "\u3010": "[",
    "\u3011": "]", "\u2265": ">=", "\u2264": "<=", "\u2260": "!=", "\u00d7": "*", "\u00f7": "/", "\u2212": "-",
    "\u3002": ".", "\u3001": ",",
}  # fmt: skip
_SLIPS = tuple((re.compile(slip), meant) for slip, meant in (
    ("=>", ">="), ("=<", "<="), ("<>", "!="), ("(?<![<>=!])=(?!=)", "=="), ("(?<!&)&(?!&)", "&&"),
    (r"(?<!\|)\|(?!\|)", "||"), (r"(?i:\band\b)", "&&"), (r"(?i:\bor\b)", "||"), (r"(?i:\bnot\b)", "!"),
))  # fmt: skip
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)")


def slip_in(bare: str) -> str:
    """Of a condition without its texts: what is wrong and what to write, "" for nothing."""
    other = _NO_SIGN.search(bare)
    if other is not None:
        return _other_sign(other[0])
    if (thousands := _THOUSANDS.search(bare)) is not None:
        return f"has {thousands[0]}: write {thousands[0].replace(',', '')}"
    if "%" in bare:
        return "has %: write 0.4 for a share of 40 %; facts in percent are compared with 40.0"
    found = ((slip.search(bare), meant) for slip, meant in _SLIPS)
    return next((f"has {one[0]}: write {meant}" for one, meant in found if one is not None), "")


def _other_sign(sign: str) -> str:
    meant = _MEANT_BY.get(sign, unicodedata.normalize("NFKC", sign))
    if meant.isspace():
        return "has a wide or fixed space: write an ordinary one"
    return f"has {sign}: " + (
        f"write {meant}" if meant.isascii() else "facts have English names, and a text stands in quotes"
    )
