"""Short identifiers as one int64: up to twelve characters of A–Z and 0–9 in base 37.

An ISIN, a BIC, a market code or a symbol fits; 37**12 is below 2**63. Zero is the empty text.
"""

from __future__ import annotations

ALPHABET = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # position is the digit; blank ends the text
WIDTH = 12


def pack(text: str) -> int:
    """Pack a short identifier. Raises ValueError on a lower-case, foreign or thirteenth character."""
    if len(text) > WIDTH or any(c == " " or c not in ALPHABET for c in text):
        raise ValueError(f"{text!r} is not up to {WIDTH} characters of A-Z and 0-9")
    packed = 0
    for character in text.ljust(WIDTH):
        packed = packed * 37 + ALPHABET.index(character)
    return packed


def unpack(packed: int) -> str:
    """The text that `pack` packed."""
    digits: list[str] = []
    for _ in range(WIDTH):
        packed, digit = divmod(packed, 37)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits)).rstrip()
