"""Check digits of identifiers, which no schema checks.

Source: ISO 6166 (ISIN), ISO 17442 (LEI), ISO 13616 (IBAN), ABA routing number policy.
"""

from __future__ import annotations


def _as_digits(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


def is_isin(text: str) -> bool:
    """Whether the ISIN's last digit fits: Luhn over its letters written as numbers."""
    total = 0
    for position, digit in enumerate(reversed(_as_digits(text))):
        doubled = int(digit) * (1 + position % 2)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0


def is_lei(text: str) -> bool:
    """Whether the LEI's last two digits fit: modulo 97 of the whole is one."""
    return int(_as_digits(text)) % 97 == 1


def is_iban(text: str) -> bool:
    """Whether the IBAN's check digits fit: modulo 97 with the first four characters moved to the end."""
    return int(_as_digits(text[4:] + text[:4])) % 97 == 1


def is_aba(text: str) -> bool:
    """Whether the routing number's last digit fits: weights 3, 7, 1."""
    return sum(int(d) * w for d, w in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0
