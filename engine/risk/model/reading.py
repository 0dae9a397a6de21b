"""A JSON document that somebody else wrote: exact numbers, errors with the path, keys nobody asked for.

Owns: what a number, a name or a list in a document is. Does not own: what any of it means (case.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from engine.errors import BadInput

_LARGEST_EXPONENT = 40
_LARGEST_FIGURES = 60


def read_document(path: Path) -> Reading:
    """Read a file; what is not JSON is refused with its line and column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    try:
        value = json.loads(
            text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_without_doubles
        )
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{path.name}, line {error.lineno}, column {error.colno}: {error.msg}; expected JSON"
        ) from None
    except (BadInput, ValueError, InvalidOperation, RecursionError) as error:
        raise BadInput(f"{path.name}: {str(error) or 'nested too deeply'}") from None
    return Reading(value, "", path.name)


def _no_number(text: str) -> NoReturn:
    raise BadInput(f"{text} is not a number")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"the key {double!r} stands twice in one object")
    return found


@cache
def _plain(key: str) -> str:
    """A key without signs and capitals: optionType, option-type and OPTION_TYPE are one."""
    return "".join(sign for sign in key.lower() if sign.isalnum())


class Reading:
    """A value in a document and its path; remembers which of an object's keys were asked for."""

    def __init__(self, value: Any, path: str, source: str) -> None:
        self.value = value
        self.path = path
        self.source = source
        self._asked: set[str] = set()
        self._spelled: dict[str, list[str]] | None = None
        self._below: dict[str | int, Reading] = {}

    def error(self, message: str) -> BadInput:
        """An error that names file and path."""
        return BadInput(f"{self.source}: {self.path or 'the document'}: {message}")

    def _at(self, key: str | int) -> Reading:
        if key not in self._below:
            step = f"[{key}]" if isinstance(key, int) else (f".{key}" if self.path else key)
            self._below[key] = Reading(self.value[key], self.path + step, self.source)
        return self._below[key]

    @property
    def is_object(self) -> bool:
        """Whether it is an object."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, list)

    @property
    def is_text(self) -> bool:
        """Whether it is a text."""
        return isinstance(self.value, str)

    @property
    def is_number(self) -> bool:
        """Whether it is a number that is not written as a text."""
        return isinstance(self.value, int | Decimal) and not isinstance(self.value, bool)

    def get(self, *names: str) -> Reading | None:
        """The value under one of several spellings of a key; null is absent, two spellings are an error."""
        if not self.is_object:
            raise self.error(f"expected an object, not {_told(self.value)}")
        keys = [key for name in dict.fromkeys(map(_plain, names)) for key in self._keys().get(name, ())]
        self._asked.update(keys)
        found = [key for key in keys if self.value[key] is not None]
        if len(found) > 1:
            raise self.error(f"{' and '.join(found)} are two spellings of one key; give one")
        return self._at(found[0]) if found else None

    def _keys(self) -> dict[str, list[str]]:
        """The keys of an object by what they are without signs and capitals."""
        if self._spelled is None:
            self._spelled = {}
            for key in self.value:
                self._spelled.setdefault(_plain(key), []).append(key)
        return self._spelled

    def put(self, name: str, value: Any) -> None:
        """Replace the value under a key of an object by what it stands for."""
        (key,) = self._keys()[_plain(name)]
        self.value[key] = value
        self._below.pop(key, None)

    def need(self, *names: str) -> Reading:
        """The same; its absence is an error."""
        found = self.get(*names)
        if found is None:
            raise self.error(f"needs {names[0]!r}")
        return found

    def entries(self) -> Iterator[tuple[str, Reading]]:
        """Keys and values of an object."""
        if not self.is_object:
            raise self.error(f"expected an object, not {_told(self.value)}")
        for key in self.value:
            self._asked.add(key)
            yield key, self._at(key)

    def items(self) -> list[Reading]:
        """Members of a list."""
        if not self.is_list:
            raise self.error(f"expected a list, not {_told(self.value)}")
        return [self._at(n) for n in range(len(self.value))]

    def text(self) -> str:
        """A text that is not empty."""
        if not self.is_text or not self.value.strip():
            raise self.error(f"expected a text, not {_told(self.value)}")
        return self.value.strip()

    def word(self) -> str:
        """A text as a key word: small letters, words joined by one underscore."""
        return "_".join(self.text().lower().replace("-", " ").replace("/", " ").replace("_", " ").split())

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.error(f"expected true or false, not {_told(self.value)}")
        return self.value

    def number(self) -> Fraction:
        """A number, exactly as it is written; a text that is a number will do."""
        value = self.value
        if isinstance(value, str):
            try:
                value = Decimal(value.strip())
            except InvalidOperation:
                raise self.error(f"expected a number, not {_told(self.value)}") from None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.error(f"expected a number, not {_told(self.value)}")
        if isinstance(value, Decimal):
            if not value.is_finite():
                raise self.error(f"{value} is not a number")
            if value and (
                abs(value.adjusted()) > _LARGEST_EXPONENT or len(value.as_tuple().digits) > _LARGEST_FIGURES
            ):
                raise self.error(f"{_told(self.value)} has more figures than anything of money")
        elif abs(value) > 10**_LARGEST_EXPONENT:
            raise self.error("the number has more figures than anything of money")
        return Fraction(value)

    def at_least(self, lowest: int, *, is_above: bool = False) -> Fraction:
        """A number that is not below a bound, or that is above it."""
        found = self.number()
        if found < lowest or (is_above and found == lowest):
            raise self.error(
                f"expected a number {'above' if is_above else 'of at least'} {lowest}, not {self.value}"
            )
        return found

    def between(self, lowest: int, highest: int) -> Fraction:
        """A number from a bound to another."""
        found = self.number()
        if not lowest <= found <= highest:
            raise self.error(f"expected a number from {lowest} to {highest}, not {self.value}")
        return found

    def share(self) -> Fraction:
        """A number from 0 to 1."""
        found = self.number()
        if not 0 <= found <= 1:
            raise self.error(f"expected a share from 0 to 1, not {self.value}")
        return found

    def integer(self) -> int:
        """A whole number."""
        found = self.number()
        if found.denominator != 1:
            raise self.error(f"expected a whole number, not {self.value}")
        return found.numerator

    def numbers(self) -> tuple[Fraction, ...]:
        """A list of numbers."""
        return tuple(item.number() for item in self.items())

    def unasked_keys(self) -> list[str]:
        """Keys of an object that nobody asked for."""
        return [key for key, _ in self.value.items() if key not in self._asked] if self.is_object else []

    def unasked(self) -> list[str]:
        """Paths of keys, here and below, that nobody asked for."""
        prefix = f"{self.path}." if self.path else ""
        found = [prefix + key for key in self.unasked_keys()]
        for below in self._below.values():
            found += below.unasked()
        return found


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else repr(str(value))[:60]
