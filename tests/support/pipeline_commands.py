"""Random commands to the whole pipeline: mostly good ones, on few prices, so that all orders meet."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from engine.market.day_orders import used_rows
from engine.risk.account_kernel import held_lots
from engine.state import State
from schemas.codes import (
    AccountStatus,
    InstrumentState,
    OrderLink,
    OrderType,
    PostOnly,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from schemas.identity import ChangeAccountStatus, SetTradingTerms
from schemas.market import (
    CancelOrder,
    CancelOrders,
    ChangeInstrumentState,
    PlaceOrder,
    ReplaceOrder,
    SetFees,
    SetKillSwitch,
    SetMark,
    SetVenueRules,
    StartBusinessDay,
)
from schemas.payments import RequestWithdrawal
from schemas.record import record_of
from schemas.risk import SetInstrumentRisk, SetMarginModel
from schemas.settlement import RunSettlementCycle
from tests.support.market_requests import CALLS, MAY_REST, NEXT_STATES, PEGS, STOPS
from tests.support.risk_model import (
    give_vector,
    name_factors,
    put_in_force,
    random_terms,
    set_retail,
    set_terms,
)
from tests.support.scenario import World

Type, Life, Link, Phase = OrderType, TimeInForce, OrderLink, InstrumentState
SHARE, OTHER_SHARE, CONTRACT = 1, 2, 3
INSTRUMENTS = (SHARE, CONTRACT, CONTRACT)
MARGIN, SECOND_MARGIN, CASH, STREET = 1, 2, 3, 4
ACCOUNTS = (MARGIN, MARGIN, SECOND_MARGIN, SECOND_MARGIN, CASH, STREET, STREET)
CASH_FEES = 3  # its schedule is set once: what a cash account has reserved is then sure to be enough
MIDDLE = 10_000
NEAR = 6  # ticks to each side
OPENING = f"""
open {MARGIN} CUSTOMER_MARGIN
open {SECOND_MARGIN} CUSTOMER_MARGIN
open {CASH} CUSTOMER_CASH
open {STREET} STREET
deposit {MARGIN} 60000.00
deposit {SECOND_MARGIN} 12000.00
deposit {CASH} 4000.00
transfer {MARGIN} ACME 60
transfer {SECOND_MARGIN} ACME 20
transfer {CASH} ACME 25
terms {MARGIN} fees=1 group=1 stp=DECREMENT
terms {SECOND_MARGIN} fees=2 group=1
terms {CASH} fees={CASH_FEES} group=2 stp=CANCEL_RESTING
fees 1 ACME taker=300 maker=-200
fees 2 ACMECFD taker=100 maker=250
fees {CASH_FEES} ACME taker=-70 maker=333
"""
ROOM = {"account_count": 6, "instrument_count": 4, "order_count": 40, "order_id_count": 4_000}


def open_world(draw: random.Random) -> World:
    """A small book with three accounts of clients and one of the street; one in two has a model of risk."""
    world = World(hash_every=1, **ROOM).play(OPENING)
    if draw.random() < 0.5:
        name_factors(world)
        put_in_force(world, draw, 1)
        set_retail(world, SECOND_MARGIN, draw.random() < 0.7, own_asset_id=draw.choice((0, 2)))
        for instrument_id in (SHARE, CONTRACT):
            set_terms(world, draw, instrument_id, draw.random() < 0.85)
        if draw.random() < 0.4 and world.pipeline.state.instrument_risks[CONTRACT]["is_modelled"]:
            give_vector(world, draw, CONTRACT)
    return world


class Flow:
    """Draws commands that fit the state as it is; two flows of one seed beside equal states draw the same."""

    def __init__(self, draw: random.Random, world: World) -> None:
        self.draw = draw
        self.world = world
        self._numbers = 0
        self._payments = 1_000

    @property
    def state(self) -> State:
        return self.world.pipeline.state

    def commands(self) -> list[Any]:
        """The commands of one frame: one, now and then a few."""
        count = 1 if self.draw.random() < 0.8 else self.draw.randint(2, 5)
        return [command for _ in range(count) for command in self._next()]

    def _next(self) -> list[Any]:
        """One command, or the two that turn the day."""
        instrument_id = self.draw.choice(INSTRUMENTS)
        phase = int(self.state.instruments[instrument_id]["instrument_state_code"])
        status = self.state.accounts["account_status_code"]
        is_crowded = self.state.books.live_count > 26
        weighted: list[tuple[Callable[[int], Any], float]] = [
            (self._place, 40 if is_crowded else 64),
            (self._cancel, 14 if is_crowded else 4),
            (self._replace, 14),
            (self._cancel_orders, 2 if is_crowded else 0.5),
            (self._phase, 1.5 if phase == Phase.OPEN else 12 if phase in CALLS else 60),
            (self._net, 1),
            (self._kill, 25 if self.state.books.is_stopped else 0.15),
            (self._mark, 2),
            (self._risk, 1 if self.state.risk.factors else 0),
            (self._terms, 1),
            (self._fees, 1),
            (self._status, 8 if (status[1:5] != AccountStatus.ACTIVE).any() else 0.5),
            (self._rules, 6 if phase == Phase.CLOSED else 0),
            (self._withdraw, 1),
        ]
        build = self.draw.choices([b for b, _ in weighted], [w for _, w in weighted])[0]
        first = build(instrument_id)
        return [first, self._day()] if build == self._net and self._is(0.7) else [first]

    def _of(self, cls: type, **columns: int) -> Any:
        self.world.now_ns += self.draw.choice([1, 1_000, 1_000_000])
        values = dict.fromkeys((c.name for c in record_of(cls).columns), 0)
        return cls(**(values | {"received_at_ns": self.world.now_ns} | columns))

    def _is(self, chance: float) -> bool:
        return self.draw.random() < chance

    def _price(self) -> int:
        return MIDDLE + round(self.draw.triangular(-NEAR, NEAR))

    def _limit(self, side: int) -> int:
        """A limit that leans a little away from the other side, so that books have depth."""
        prices = [self._price() for _ in range(self.draw.choice([1, 1, 2]))]
        return min(prices) if side == Side.BUY else max(prices)

    def _lots(self) -> int:
        return self.draw.choice([1, 1, 2, 2, 3, 4, 5, 8, 12])

    def _live(self, account_id: int = 0, instrument_id: int = 0) -> list[Any]:
        """The day's rows of orders that live, as the pipeline knows them."""
        rows = used_rows(self.state.day)
        rows = rows[rows["open_lots"] > 0]
        rows = rows[rows["account_id"] == account_id] if account_id else rows
        return list(rows[rows["instrument_id"] == instrument_id] if instrument_id else rows)

    # Orders ------------------------------------------------------------------------------------

    def _place(self, instrument_id: int) -> PlaceOrder:
        account_id, side = self.draw.choice(ACCOUNTS), self.draw.choice(list(Side))
        if account_id == CASH:
            instrument_id = SHARE
        lots = self._lots()
        held = 0 if account_id == STREET else self._held(account_id, instrument_id)
        is_reduce_only = self._is(0.3 if held else 0.02)
        if is_reduce_only and held:
            side = Side.SELL if held > 0 else Side.BUY
            row = self.state.positions[account_id, instrument_id]
            open_lots = int(row["open_sell_lots" if held > 0 else "open_buy_lots"])
            free = max(abs(held) - open_lots, 1)
            lots = self.draw.choice([free, max(free // 2, 1), min(free, lots), lots])
        self._numbers += 1
        columns = {
            "session_id": self.draw.randint(1, 3),
            "account_id": account_id,
            "client_order_id": self._numbers if self._is(0.97) else self.draw.randint(1, self._numbers),
            "instrument_id": instrument_id,
            "side_code": side,
            "quantity_lots": lots,
            "is_reduce_only": int(is_reduce_only),
            "self_trade_code": self.draw.choice(list(SelfTradePrevention)) if self._is(0.3) else 0,
        }
        columns |= self._kind(instrument_id, side)
        columns |= self._terms_of(columns)
        columns |= self._link(columns)
        if self._is(0.03):
            columns |= self._wrong()
        return self._of(PlaceOrder, **columns)

    def _held(self, account_id: int, instrument_id: int) -> int:
        state = self.state
        amounts = state.balances.amounts
        return int(held_lots(state.instruments, state.positions, amounts, account_id, instrument_id))

    def _kind(self, instrument_id: int, side: int) -> dict[str, int]:
        phase = int(self.state.instruments[instrument_id]["instrument_state_code"])
        is_call = phase in CALLS
        kinds = [(Type.LIMIT, 60), (Type.MARKET, 8), (Type.STOP, 6), (Type.STOP_LIMIT, 6)]
        kinds += [(Type.TRAILING_STOP, 6), (Type.PEGGED_PRIMARY, 5), (Type.PEGGED_MID, 7)]
        kind = self.draw.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
        lives = [(Life.DAY, 50), (Life.IOC, 1 if is_call else 8), (Life.FOK, 1 if is_call else 6)]
        lives += [(Life.GTC, 18), (Life.GTD, 12), (Life.AT_OPEN, 15 if is_call else 1), (Life.AT_CLOSE, 7)]
        life = self.draw.choices([v for v, _ in lives], [w for _, w in lives])[0]
        if kind in (*STOPS, *PEGS):
            life = self.draw.choice([Life.DAY, Life.GTC, Life.GTD])
        if kind == Type.MARKET:
            life = Life.IOC if life in (Life.GTC, Life.GTD) else life
        is_priced = kind not in (Type.MARKET, Type.STOP, Type.TRAILING_STOP)
        price = self._limit(side) if is_priced else 0
        return {"order_type_code": kind, "time_in_force_code": life, "price_ticks": price}

    def _terms_of(self, c: dict[str, int]) -> dict[str, int]:
        """The terms that the order's type and life need, and some that they allow."""
        kind, life, lots, side = (
            c[n] for n in ("order_type_code", "time_in_force_code", "quantity_lots", "side_code")
        )
        terms: dict[str, int] = {}
        if kind in (Type.STOP, Type.STOP_LIMIT):
            terms["stop_ticks"] = self._price()
        if kind == Type.TRAILING_STOP:
            terms["trail_ticks"] = self.draw.randint(1, 4)
        if kind in PEGS:
            terms["offset_ticks"] = self.draw.choice([0, 0, 1, 2])
            terms["price_ticks"] = c["price_ticks"] + (NEAR if side == Side.BUY else -NEAR)
        if life == Life.GTD:
            terms["expires_at_ns"] = self.world.now_ns + self.draw.choice([10_000, 5_000_000, 90_000_000])
        if kind == Type.LIMIT and life in MAY_REST:
            if self._is(0.25):
                terms |= {"display_lots": self.draw.choice([1, 2, 3]), "quantity_lots": lots + self._lots()}
            if self._is(0.15):
                terms["post_only_code"] = self.draw.choice([PostOnly.REJECT, PostOnly.REPRICE])
        if kind in (Type.LIMIT, Type.MARKET) and life != Life.FOK and self._is(0.05):
            terms["minimum_lots"] = self.draw.randint(1, lots)
        return terms

    def _link(self, c: dict[str, int]) -> dict[str, int]:
        """Sometimes one of a pair, an exit, or the entry that an exit waits for."""
        here = self._live(c["account_id"], c["instrument_id"])
        exits = [row for row in here if row["is_waiting"] and not row["is_second_leg"]]
        single = [row for row in here if not row["partner_order_id"] and not row["child_order_id"]]
        chance = self.draw.random()
        if exits and chance < 0.35:
            row = self.draw.choice(exits)
            side = Side.BUY + Side.SELL - int(row["side_code"])
            is_eager = c["order_type_code"] == Type.LIMIT and self._is(0.6)
            price = MIDDLE + (3 if side == Side.BUY else -3) if is_eager else c["price_ticks"]
            return {
                "order_link_code": Link.ENTRY,
                "linked_client_order_id": int(row["client_order_id"]),
                "side_code": side,
                "price_ticks": price,
                "quantity_lots": int(row["open_lots"]) + self.draw.choice([0, 0, 2]),
                "is_reduce_only": 0,
                "post_only_code": 0,
            }
        if here and chance < 0.5 and c["time_in_force_code"] in MAY_REST:
            row = self.draw.choice(single if single and self._is(0.9) else here)
            lots = int(row["open_lots"]) if self._is(0.6) else c["quantity_lots"]
            side = int(row["side_code"]) if self._is(0.8) else c["side_code"]
            link = {"order_link_code": Link.OCO, "linked_client_order_id": int(row["client_order_id"])}
            only = {"is_reduce_only": int(row["is_reduce_only"])} if self._is(0.8) else {}
            return link | only | {"quantity_lots": lots, "side_code": side}
        if chance > 0.9 and c["time_in_force_code"] in MAY_REST:
            return {"order_link_code": Link.AWAIT, "is_reduce_only": 0, "post_only_code": 0}
        return {}

    def _wrong(self) -> dict[str, int]:
        """One thing that is mostly wrong."""
        huge = self.draw.choice([1 << 62, -(1 << 62), (1 << 63) - 1, -(1 << 63), -1, 0, 1 << 31])
        name = self.draw.choice(record_of(PlaceOrder).columns[2:]).name
        return {name: huge}

    def _cancel(self, instrument_id: int) -> CancelOrder:
        account_id, number = self._someones(instrument_id)
        return self._of(CancelOrder, account_id=account_id, client_order_id=number)

    def _someones(self, instrument_id: int) -> tuple[int, int]:
        live = self._live(0, instrument_id)
        if not live or self._is(0.05):
            return self.draw.choice(ACCOUNTS), self.draw.randint(0, self._numbers + 1)
        row = self.draw.choice(live)
        return int(row["account_id"]), int(row["client_order_id"])

    def _replace(self, instrument_id: int) -> ReplaceOrder:
        account_id, number = self._someones(instrument_id)
        rows = [r for r in self._live(account_id) if int(r["client_order_id"]) == number]
        price, lots = self._price(), self._lots()
        if rows:
            row = rows[0]
            price = int(row["price_ticks"]) if self._is(0.4) or not row["price_ticks"] else price
            lots = self.draw.randint(1, int(row["open_lots"])) if self._is(0.6) else lots
        return self._of(
            ReplaceOrder,
            account_id=account_id,
            client_order_id=number,
            price_ticks=price,
            quantity_lots=lots,
            post_only_code=self.draw.choice([0, 0, 0, 0, PostOnly.REJECT, PostOnly.REPRICE]),
        )

    # All else ------------------------------------------------------------------------------------

    def _cancel_orders(self, instrument_id: int) -> CancelOrders:
        return self._of(
            CancelOrders,
            account_id=self.draw.choice(ACCOUNTS) if self._is(0.6) else 0,
            session_id=self.draw.randint(1, 3) if self._is(0.4) else 0,
            instrument_id=instrument_id if self._is(0.6) else 0,
            side_code=self.draw.choice([0, 1, 2]),
            is_disconnect=int(self._is(0.5)),
        )

    def _phase(self, instrument_id: int) -> ChangeInstrumentState:
        phase = Phase(int(self.state.instruments[instrument_id]["instrument_state_code"]))
        new = self.draw.choice(NEXT_STATES[phase] if self._is(0.9) else list(Phase))
        return self._of(ChangeInstrumentState, instrument_id=instrument_id, instrument_state_code=new)

    def _day(self) -> StartBusinessDay:
        day = self.state.business_epoch_day + 1
        return self._of(
            StartBusinessDay, business_epoch_day=day, next_epoch_day=day + 1, second_epoch_day=day + 2
        )

    def _net(self, instrument_id: int) -> RunSettlementCycle:
        return self._of(RunSettlementCycle, trade_epoch_day=self.state.business_epoch_day)

    def _kill(self, instrument_id: int) -> SetKillSwitch:
        return self._of(SetKillSwitch, is_stopped=int(not self.state.books.is_stopped), operator_id=1)

    def _mark(self, instrument_id: int) -> SetMark:
        return self._of(SetMark, instrument_id=instrument_id, mark_ticks=self._price())

    def _risk(self, instrument_id: int) -> SetInstrumentRisk | SetMarginModel:
        if self._is(0.3):
            rates = {"initial_ppm": 1_000_000, "warn_ppm": 2_000_000, "target_ppm": 1_200_000}
            lines = {"cancel_ppm": 1_000_000, "retail_close_ppm": 400_000}
            names = {
                "names_ppm": self.draw.choice([0, 100_000]),
                "top_two_ppm": self.draw.choice([0, 300_000]),
            }
            return self._of(SetMarginModel, **rates, **lines, **names)
        terms = random_terms(self.draw) | {"is_modelled": int(self._is(0.8))}
        return self._of(SetInstrumentRisk, instrument_id=instrument_id, **terms)

    def _terms(self, instrument_id: int) -> SetTradingTerms:
        return self._of(
            SetTradingTerms,
            account_id=self.draw.choice((MARGIN, SECOND_MARGIN, STREET)),
            fee_group_id=self.draw.choice([0, 1, 2]),
            group_id=self.draw.choice([0, 1, 1, 2]),
            self_trade_code=self.draw.choice(list(SelfTradePrevention)),
        )

    def _fees(self, instrument_id: int) -> SetFees:
        rates = self.draw.randint(-300, 500), self.draw.randint(-300, 500)
        return self._of(
            SetFees,
            fee_group_id=self.draw.choice([0, 1, 2]),
            instrument_id=instrument_id,
            taker_ppm=rates[0],
            maker_ppm=rates[1],
        )

    def _status(self, instrument_id: int) -> ChangeAccountStatus:
        statuses = self.state.accounts["account_status_code"]
        hindered = [a for a in ACCOUNTS if statuses[a] != AccountStatus.ACTIVE]
        new = self.draw.choice([AccountStatus.RESTRICTED, AccountStatus.RESTRICTED, AccountStatus.SUSPENDED])
        return self._of(
            ChangeAccountStatus,
            account_id=hindered[0] if hindered else self.draw.choice(ACCOUNTS),
            account_status_code=AccountStatus.ACTIVE if hindered else new,
            operator_id=1,
        )

    def _rules(self, instrument_id: int) -> SetVenueRules:
        return self._of(
            SetVenueRules,
            instrument_id=instrument_id,
            dynamic_bps=self.draw.choice([0, 3, 5]),
            static_bps=self.draw.choice([0, 6]),
            first_step_ticks=self.draw.choice([0, 1, 2]),
        )

    def _withdraw(self, instrument_id: int) -> RequestWithdrawal:
        self._payments += 1
        return self._of(
            RequestWithdrawal,
            payment_id=self._payments,
            account_id=self.draw.choice((MARGIN, CASH)),
            asset_id=1,
            amount_units=self.draw.choice([100, 10_000, 100_000]),
        )
