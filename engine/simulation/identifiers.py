"""Check digits of synthetic ISINs and IBANs.

Owns: how a made-up identifier becomes a well-formed one. Does not own: who gets which.
"""

from __future__ import annotations


def with_isin_check(body: str) -> str:
    """Add the Luhn digit to eleven characters of an ISIN. Source: ISO 6166."""
    if len(body) != 11:
        raise ValueError(f"{body!r} is not eleven characters long")
    digits = [int(d) for c in body for d in str(int(c, 36))]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled // 10 + doubled % 10
    return f"{body}{-total % 10}"


def with_iban_check(country: str, account: str) -> str:
    """Put the two check digits between country and account number. Source: ISO 13616, mod 97."""
    moved = "".join(str(int(c, 36)) for c in f"{account}{country}00")
    return f"{country}{98 - int(moved) % 97:02d}{account}"
