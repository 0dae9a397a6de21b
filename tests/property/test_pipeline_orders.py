"""Whatever is traded: books, the day's orders, what they reserve, positions and money say the same.

So they do after every frame, and the journal decided again says it too. The shadow here knows the events and
the books only, not how the pipeline counts.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.image import arrays_of, state_of, text_of
from engine.journal.frame import Frame
from engine.ledger.stock_record import check_stock_record
from engine.market.day_orders import used_rows
from engine.pipeline import Pipeline
from engine.replay import redo
from engine.risk.account_kernel import held_lots
from engine.trading.events_kernel import KIND_COUNT
from engine.trading_lane import Room, TradingLane
from schemas.codes import MarketEventReason, OrderLink, OrderType, Side
from schemas.derive.layout import from_row
from schemas.market import (
    Fill,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReduced,
    OrderReplaced,
    OrderShown,
    OrderTriggered,
    PlaceOrder,
)
from schemas.record import Role
from schemas.risk import MarginChanged
from tests.support.pipeline_commands import ACCOUNTS, CASH, CONTRACT, STREET, Flow, open_world
from tests.support.scenario import MemoryJournal

Why = MarketEventReason


class Shadow:
    """Orders and positions as the fold of the journal's commands and events."""

    def __init__(self) -> None:
        self.placed: dict[int, PlaceOrder] = {}  # accepted, by order id
        self.open: Counter[int] = Counter()
        self.filled: Counter[int] = Counter()
        self.entry: dict[int, int] = {}  # exit -> entry
        self.exits: set[int] = set()
        self.grown: set[int] = set()  # exits that were enlarged once they were free
        self.numbers: dict[tuple[int, int], int] = {}  # (account, client order id) -> order id
        self.held: Counter[tuple[int, int]] = Counter()
        self.told: Counter[str] = Counter()

    def see(self, frame: Frame, held: dict[tuple[int, int], int]) -> None:
        """Fold a frame. `held` is what every account held before it."""
        self.held = Counter(held)
        for item in rows_of(frame):
            self.told[type(item).__name__] += 1
            if isinstance(item, PlaceOrder):
                self.placed[item.sequence] = item
            elif isinstance(item, Fill):
                self._fill(item)
            elif isinstance(item, OrderAccepted):
                self._accept(item)
            elif isinstance(item, OrderReplaced):
                self.grown |= {item.order_id} if item.quantity_lots > self.open[item.order_id] else set()
                self.open[item.order_id] = item.quantity_lots
            elif isinstance(item, OrderReduced):
                self._take(item.order_id, item.reduced_lots)
            elif isinstance(item, OrderCancelled):
                assert self.open[item.order_id] == item.cancelled_lots > 0
                self.open[item.order_id] = 0
            elif isinstance(item, OrderExpired):
                assert self.open[item.order_id] == item.expired_lots > 0
                self.open[item.order_id] = 0
            elif isinstance(item, OrderTriggered):
                assert self.open[item.order_id] == item.quantity_lots > 0
            elif isinstance(item, OrderShown):
                assert self.open[item.order_id] == item.quantity_lots >= item.shown_lots >= 0

    def _accept(self, event: OrderAccepted) -> None:
        order = self.placed[event.order_id]
        asked = (order.account_id, order.client_order_id, order.instrument_id, order.quantity_lots)
        told = (event.account_id, event.client_order_id, event.instrument_id, event.quantity_lots)
        assert told == asked
        self.open[event.order_id] = event.quantity_lots
        linked = self.numbers.get((order.account_id, order.linked_client_order_id), 0)
        self.numbers[order.account_id, order.client_order_id] = event.order_id
        link = order.order_link_code
        is_leg = link == OrderLink.OCO and linked in self.exits
        if link == OrderLink.AWAIT or (is_leg and self.placed[linked].side_code == order.side_code):
            self.exits.add(event.order_id)

    def _take(self, order_id: int, lots: int) -> None:
        assert 0 < lots <= self.open[order_id]
        self.open[order_id] -= lots

    def _fill(self, fill: Fill) -> None:
        for order_id, account_id in (
            (fill.taker_order_id, fill.taker_account_id),
            (fill.maker_order_id, fill.maker_account_id),
        ):
            order = self.placed[order_id]
            assert (order.account_id, order.instrument_id) == (account_id, fill.instrument_id)
            self._take(order_id, fill.quantity_lots)
            self.filled[order_id] += fill.quantity_lots
            sign = 1 if order.side_code == Side.BUY else -1
            self.held[account_id, fill.instrument_id] += sign * fill.quantity_lots
            if order.is_reduce_only and order_id not in self.exits:
                assert sign * self.held[account_id, fill.instrument_id] <= 0, f"{fill} turned a position"
        sides = self.placed[fill.taker_order_id].side_code, self.placed[fill.maker_order_id].side_code
        assert sorted(sides) == [Side.BUY, Side.SELL] and sides[0] == fill.taker_side_code


def rows_of(frame: Frame) -> list[Any]:
    """Commands and events of a frame in their one order."""
    rows = [from_row(s.record.cls, row) for s in frame.sections for row in s.rows]
    return sorted(rows, key=lambda row: row.sequence)


class Walk:
    """A pipeline, its shadow, and a second pipeline that decides the journal again."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.world = open_world(self.draw)
        self.flow = Flow(self.draw, self.world)
        self.shadow = Shadow()
        self.again = Pipeline(None, MemoryJournal())
        for frame in self.world.journal.frames:
            redo(self.again, frame)
        self.rooms: list[Room] = []
        self._watch_room()

    @property
    def state(self) -> Any:
        return self.world.pipeline.state

    def _watch_room(self) -> None:
        lane: TradingLane = self.world.pipeline._lanes[0]  # type: ignore[index]
        make_room = lane._make_room

        def noted(command_count: int) -> Room:
            self.rooms.append(make_room(command_count))
            return self.rooms[-1]

        lane._make_room = noted  # type: ignore[method-assign]
        self.counts = lane._counts

    def held(self) -> dict[tuple[int, int], int]:
        state = self.state
        amounts = state.balances.amounts
        return {
            (a, i): int(held_lots(state.instruments, state.positions, amounts, a, i))
            for a in set(ACCOUNTS) - {STREET}
            for i in (1, CONTRACT)
        }

    def margins(self) -> dict[int, tuple[int, int]]:
        """Made anew from positions, orders and money; the pipeline that is watched keeps its own."""
        return {a: self.again.state.margin_minor(a) for a in set(ACCOUNTS) - {STREET}}

    def step(self) -> None:
        held, margins = self.held(), self.margins()
        self.rooms.clear()
        commands = self.flow.commands()
        frame = self.world.pipeline.submit(commands)
        self.shadow.see(frame, held)
        if len(commands) == 1 and self.rooms:
            assert (self.counts[:KIND_COUNT] <= self.rooms[0].needed).all(), "more events than foreseen"
        if len(commands) == 1:
            self.check_prices(frame)
        self.check_sequence(frame)
        redo(self.again, frame)
        self.check_margins(frame, margins)
        self.check_orders()
        self.check_reserves()
        self.check_money()

    def check_sequence(self, frame: Frame) -> None:
        rows = [(int(n), s.record.role) for s in frame.sections for n in s.rows["sequence"]]
        assert [n for n, _ in sorted(rows, key=lambda row: row[0])] == list(
            range(frame.first_sequence, frame.last_sequence + 1)
        )
        last_command = max(n for n, role in rows if role is Role.COMMAND)
        assert last_command < min((n for n, role in rows if role is Role.EVENT), default=last_command + 1)

    def check_prices(self, frame: Frame) -> None:
        """No order trades at a price worse than what it reserved at."""
        worst = {int(r["order_id"]): int(r["reserve_ticks"]) for r in used_rows(self.state.day)}
        for fill in (f for f in rows_of(frame) if isinstance(f, Fill)):
            assert fill.price_ticks >= 1
            for order_id in (fill.taker_order_id, fill.maker_order_id):
                away = fill.price_ticks - worst.get(order_id, fill.price_ticks)
                assert away <= 0 if self.shadow.placed[order_id].side_code == Side.BUY else away >= 0

    def check_margins(self, frame: Frame, before: dict[int, tuple[int, int]]) -> None:
        """What was told last is what is, and whose margin moved was told."""
        told = {
            e.account_id: (e.equity_minor, e.initial_margin_minor)
            for e in rows_of(frame)
            if isinstance(e, MarginChanged)
        }
        for account_id, now in self.margins().items():
            assert told.get(account_id, before[account_id]) == now

    def check_orders(self) -> None:
        """Books, the day's rows and the fold of the events have the same orders, open for the same lots."""
        rows = self.state.day.rows
        live = {}
        for order in self.state.books.orders():
            row = rows[int(order["client_order_id"])]
            order_id = int(order["order_id"])
            live[order_id] = int(order["open_lots"]) + int(order["hidden_lots"])
            if order["entry_order_id"]:
                self.shadow.entry[order_id] = int(order["entry_order_id"])
            same = (
                "order_id",
                "account_id",
                "instrument_id",
                "side_code",
                "order_type_code",
                "is_reduce_only",
            )
            has_terms = int(order["has_terms"])
            assert all(row[n] == order[n] for n in same[: len(same) if has_terms else 4]), order_id
        assert live == {
            int(r["order_id"]): int(r["open_lots"]) for r in used_rows(self.state.day) if r["open_lots"]
        }
        assert live == {i: lots for i, lots in self.shadow.open.items() if lots}

    def due(self) -> dict[int, int]:
        """What each pair of legs, or order alone, must reserve together, under the lowest order id of it."""
        orders = {int(o["order_id"]): o for o in self.state.books.orders()}
        due: dict[int, list[int]] = defaultdict(list)
        for order_id, order in orders.items():
            lots = int(order["open_lots"]) + int(order["hidden_lots"])
            is_cash_bid = order["account_id"] == CASH and order["side_code"] == Side.BUY
            is_waiting = order["is_awaiting"] or order["entry_order_id"]
            if is_waiting and order_id in self.shadow.exits and not is_cash_bid:
                lots = min(lots, self.shadow.filled[int(order["entry_order_id"])])
            partner = orders.get(int(order["partner_order_id"]))
            stands_in = partner is not None and partner["side_code"] == order["side_code"] and not is_cash_bid
            due[min(order_id, int(order["partner_order_id"])) if stands_in else order_id].append(lots)
        return {order_id: max(lots) for order_id, lots in due.items()}

    def check_reserves(self) -> None:
        state, due = self.state, self.due()
        rows = [r for r in used_rows(state.day) if r["reserved_lots"]]
        partners = {int(o["order_id"]): int(o["partner_order_id"]) for o in state.books.orders()}
        has: Counter[int] = Counter()
        sums: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        for row in rows:
            order_id, lots = int(row["order_id"]), int(row["reserved_lots"])
            first = min(order_id, partners[order_id] or order_id)
            has[first if first in due and order_id not in due else order_id] += lots
            at = int(row["account_id"]), int(row["instrument_id"])
            side = "buy" if row["side_code"] == Side.BUY else "sell"
            sums[f"open_{side}_lots"][at] += lots
            sums[f"reduce_{side}_lots"][at] += lots * int(row["is_reduce_only"])
            if side == "buy":
                sums["open_buy_minor"][at] += lots * int(row["reserve_minor"])
        assert has == Counter({i: lots for i, lots in due.items() if lots})
        for row in used_rows(state.day):
            at = int(row["account_id"]), int(row["instrument_id"])
            is_free = at[0] == STREET or row["is_reduce_only"]
            loss = 0 if is_free else self.loss_of(row)
            assert row["loss_minor"] == loss, int(row["order_id"])
            sums["open_loss_minor"][at] += loss
        for name in (
            "open_buy_lots",
            "open_sell_lots",
            "reduce_buy_lots",
            "reduce_sell_lots",
            "open_buy_minor",
            "open_loss_minor",
        ):
            seen = {
                (int(a), int(i)): int(state.positions[name][a, i])
                for a, i in np.argwhere(state.positions[name])
            }
            assert seen == {at: lots for at, lots in sums[name].items() if lots}, name

    def loss_of(self, row: Any) -> int:
        """What an order would lose if all of it filled now: against the mark, and in fees."""
        instrument = self.state.instruments[int(row["instrument_id"])]
        worst, tick = int(row["reserve_ticks"]), int(instrument["tick_value_minor"])
        sign = 1 if row["side_code"] == Side.BUY else -1
        against = max(sign * (worst - int(instrument["mark_ticks"])), 0) * tick
        fee = int(row["reserve_minor"]) - worst * tick
        assert fee >= 0
        return int(row["open_lots"]) * (against + fee)

    def check_money(self) -> None:
        """Nobody sells what he has not, a cash account pays in full, and no unit is lost."""
        state = self.state
        state.balances.check()
        check_stock_record(state.balances)
        for (account_id, instrument_id), lots in self.held().items():
            row = state.positions[account_id, instrument_id]
            if instrument_id != CONTRACT:
                assert lots >= int(row["open_sell_lots"])
            if account_id == CASH:
                assert -state.balances.amounts[CASH, 1] >= state.positions["open_buy_minor"][CASH].sum()
        contracts = state.positions["position_lots"][:, CONTRACT]
        assert self.street_lots(CONTRACT) == -int(contracts.sum())

    def street_lots(self, instrument_id: int) -> int:
        """What the street bought, less what it sold, by its orders' fills."""
        total = 0
        for order_id, lots in self.shadow.filled.items():
            order = self.shadow.placed[order_id]
            if order.account_id == STREET and order.instrument_id == instrument_id:
                total += lots if order.side_code == Side.BUY else -lots
        return total

    def restore(self) -> None:
        """Go on, in the second pipeline, from a snapshot."""
        state = self.again.state
        arrays = {name: array.copy() for name, array in arrays_of(state).items()}
        restored = state_of(arrays, text_of(state), state.hash())
        self.again = Pipeline(restored, MemoryJournal())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**48), steps=st.integers(20, 160))
def test_books_orders_reserves_and_money_say_the_same(seed: int, steps: int) -> None:
    walk = Walk(seed)
    for step in range(steps):
        walk.step()
        if step % 37 == 36:
            walk.restore()
    for exit_id, entry_id in walk.shadow.entry.items():
        is_exit = exit_id in walk.shadow.exits - walk.shadow.grown
        assert not is_exit or walk.shadow.filled[exit_id] <= walk.shadow.filled[entry_id]


def test_the_flow_reaches_everything() -> None:
    """Otherwise the property above would say little."""
    told: Counter[str] = Counter()
    kinds: Counter[int] = Counter()
    for seed in range(12):
        walk = Walk(seed)
        for _ in range(150):
            walk.step()
        told += walk.shadow.told
        kinds += Counter(walk.shadow.placed[i].order_type_code for i in walk.shadow.filled)
    names = (
        "AuctionUncrossed",
        "OrderTriggered",
        "OrderReduced",
        "OrderExpired",
        "OrderShown",
        "KillSwitchSet",
        "Fill",
    )
    assert all(told[name] >= 10 for name in names), told
    assert set(kinds) == set(OrderType), kinds
