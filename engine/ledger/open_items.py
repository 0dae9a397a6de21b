"""Positions that are open for a time and close in parts: loans, transfers, suspense, distributions and such.

Owns what of each is still open. Does not own the balances, in which all of a kind and party lie together: an
item is what gives a part of a balance its age and its money.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.errors import InvariantBroken
from schemas.derive.layout import row_tuple
from schemas.headers import Event
from schemas.record import record_of
from schemas.registry import by_type_code

E = TypeVar("E", bound=Event)


@dataclass
class OpenItem:
    """What opened it, and what of it is still open; nothing once it has closed."""

    opened: Event
    open_units: int
    open_money_units: int = 0  # of positions of securities against money
    is_acknowledged: bool = False  # of transfers

    @property
    def is_closed(self) -> bool:
        """Whether nothing is open any more."""
        return self.open_units == 0 and self.open_money_units == 0


@dataclass
class OpenItems:
    """Items by number, the sequence of the event that opened them. Closed ones are not forgotten."""

    items: dict[int, OpenItem] = field(default_factory=dict[int, OpenItem])

    def opened_as(self, item_id: int, cls: type[Event]) -> OpenItem | None:
        """The item, if it is one of that kind."""
        item = self.items.get(item_id)
        return item if item is not None and type(item.opened) is cls else None

    def opening(self, item_id: int, cls: type[E]) -> E:
        """The event that opened an item. Raises InvariantBroken when there is none of that kind."""
        item = self.items.get(item_id)
        if item is None or not isinstance(item.opened, cls):
            raise InvariantBroken(f"no {cls.__name__} opened item {item_id}")
        return item.opened

    def open(self, event: Event, units: int, money_units: int = 0) -> None:
        """Enter an item under the sequence of its event."""
        self.items[event.sequence] = OpenItem(event, units, money_units)

    def reduce(self, item_id: int, open_units: int, open_money_units: int = 0) -> None:
        """Leave so much of an item open."""
        item = self.items[item_id]
        item.open_units, item.open_money_units = open_units, open_money_units

    def dump(self) -> list[list[int]]:
        """Plain lists, sorted by number."""
        return [_row_of(self.items[number]) for number in sorted(self.items)]

    @classmethod
    def load(cls, dumped: list[list[int]]) -> OpenItems:
        """The items that `dump` dumped."""
        loaded = [_item_of(row) for row in dumped]
        return cls({item.opened.sequence: item for item in loaded})

    def canonical(self) -> bytes:
        """The same bytes for equal states, whatever their history."""
        return json.dumps(self.dump()).encode()


def _row_of(item: OpenItem) -> list[int]:
    own = (item.open_units, item.open_money_units, int(item.is_acknowledged))
    opened = (int(value) for value in row_tuple(item.opened))
    return [record_of(type(item.opened)).type_code, *own, *opened]


def _item_of(row: list[int]) -> OpenItem:
    type_code, open_units, open_money_units, is_acknowledged, *told = row
    declared = by_type_code(type_code)
    opened: Any = declared.cls(**dict(zip((c.name for c in declared.columns), told, strict=True)))
    return OpenItem(opened, open_units, open_money_units, bool(is_acknowledged))
