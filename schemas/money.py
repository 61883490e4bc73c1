"""Money as text and as integer minor units (ISO 4217). A binary fraction never gets in: floats are refused."""

import re

from schemas.events import Money

MAX_MINOR = 2**53
"""Beyond it a double, and with it most readers of JSON, no longer holds every integer."""

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW"
        " CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF"
        " IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK"
        " MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP"
        " SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG"
        " YER ZAR ZMW ZWG"
        # Withdrawn in recent years: the past that a bank replays still speaks of them.
        " ANG BGN CUC HRK"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS: dict[str, int] = {code: exponent for exponent, codes in _BY_EXPONENT.items() for code in codes.split()}
"""Decimal places by currency. Codes without a minor unit (gold, SDR, test codes) are not among them."""

_PLAIN = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)


def parse_money(value: str | int, currency: str) -> Money:
    """An amount in major units: "1200.50" or 1200. Raises ValueError with a message that does not repeat it."""
    exponent = EXPONENTS.get(currency) if currency.__class__ is str else None
    if exponent is None:
        raise ValueError("currency: not an ISO 4217 code of a currency with a minor unit, e.g. CNY")
    if value.__class__ is int:
        value = str(value) if abs(value) <= MAX_MINOR else "too much"
    if not isinstance(value, str):
        raise ValueError("value: a decimal number as text or an integer is expected; a float cannot hold money")
    match = _PLAIN.fullmatch(value)
    if match is None:
        raise ValueError("value: a plain decimal number of at most 18 digits is expected, e.g. 1200.50")
    sign, whole, decimals = match.groups(default="")
    if len(decimals) > exponent:
        raise ValueError(f"value: {currency} has {exponent} decimals, not {len(decimals)}")
    minor = int(whole + decimals.ljust(exponent, "0"))
    if minor > MAX_MINOR:
        raise ValueError("value: more than 2^53 minor units")
    return Money(-minor if sign else minor, currency)


def format_money(money: Money) -> dict[str, str]:
    """`{"value": "1200.50", "currency": "CNY"}`, with all decimals of the currency. Raises KeyError when unknown."""
    exponent = EXPONENTS[money.currency]
    digits = str(abs(money.minor)).rjust(exponent + 1, "0")
    sign = "-" if money.minor < 0 else ""
    point = len(digits) - exponent
    return {"value": sign + digits[:point] + ("." + digits[point:] if exponent else ""), "currency": money.currency}
