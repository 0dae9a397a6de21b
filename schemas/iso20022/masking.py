"""Account and card numbers out of free text: only the last four characters remain.

Owns: what looks like a number of somebody's account. Does not own: names and addresses, which the reader
of statements does not take over in the first place.
"""

from __future__ import annotations

import re

_SHORTEST_IBAN = 15  # shorter ones that begin with letters are references, ours among them
_IBAN = r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"
_DIGITS = r"[0-9](?:[ -]?[0-9]){7,}"
_NUMBER = re.compile(rf"(?<![A-Za-z0-9])(?:{_IBAN}|{_DIGITS})(?![A-Za-z0-9])")


def mask_numbers(text: str) -> str:
    """The text with every IBAN and every run of eight or more digits cut to its last four characters."""
    return _NUMBER.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    compact = re.sub("[ -]", "", found.group())
    is_reference = compact[0].isalpha() and len(compact) < _SHORTEST_IBAN
    return found.group() if is_reference else "****" + compact[-4:]
