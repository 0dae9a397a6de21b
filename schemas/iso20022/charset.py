"""Which characters a scheme carries, and how other text is brought into it without loss of meaning.

References use the FIN set; names and remittance the extended set of cross-border payments. A character
with no safe spelling is refused: a question mark in a name pays the wrong person.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Charset(NamedTuple):
    """A scheme's characters, as the inside of a regular expression class."""

    name: str
    inside: str

    def has(self, character: str) -> bool:
        """Whether the scheme carries the character."""
        return re.fullmatch(f"[{self.inside}]", character) is not None


REFERENCE = Charset("reference", r"A-Za-z0-9/\-?:().,'+ ")
EXTENDED = Charset("extended", REFERENCE.inside + r'!#$%&*=\^_{}|~";<>@\[\]')

_SPELT = {
    "ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L",
    "ł": "l", "Đ": "D", "đ": "d", "Þ": "Th", "þ": "th", "ð": "d", "Ð": "D", "ı": "i", "Ħ": "H", "ħ": "h",
    "‘": "'", "’": "'", "‚": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-",
    "‑": "-", "…": "...", "€": "EUR", "£": "GBP", "¥": "JPY", "\u00a0": " ", "\u2009": " ", "«": '"',
    "»": '"', "·": ".", "№": "No", "º": "o", "ª": "a",
}  # fmt: skip


def transliterate(text: str, charset: Charset) -> str:
    """The text in the scheme's characters. Raises ValueError on a character with no safe spelling."""
    return "".join(_spell(character, charset) for character in unicodedata.normalize("NFC", text))


def _spell(character: str, charset: Charset) -> str:
    if charset.has(character):
        return character
    spelt = _SPELT.get(character)
    if spelt is None:
        decomposed = unicodedata.normalize("NFKD", character)
        spelt = "".join(c for c in decomposed if not unicodedata.combining(c))
    if spelt and all(charset.has(c) for c in spelt):
        return spelt
    name = unicodedata.name(character, "control character")
    raise ValueError(f"U+{ord(character):04X} {name} has no spelling in the {charset.name} character set")
