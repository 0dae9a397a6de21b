"""A book with random risk models, positions and orders, reported at the end of its days, and its lake."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from engine.clock import FakeClock
from engine.config import Home
from engine.journal.writer import JournalWriter
from engine.projections.lake import LakeWriter
from schemas.risk import ReportMargins, SetMarginModel
from schemas.settlement import RunSettlementCycle
from tests.support.journal_disk import QuickDisk
from tests.support.risk_model import give_vector, name_factors, put_in_force, set_retail, set_terms
from tests.support.scenario import EPOCH, INSTRUMENTS, World

CLIENTS = (5, 6, 7, 8)
STREET = 9


class MarginBook:
    """A home whose journal and lake grow as a test asks."""

    def __init__(self, root: Path, seed: int) -> None:
        self.home = Home(root)
        self.draw = random.Random(seed)
        self.writer = JournalWriter.open(self.home.journal, segment_bytes=1 << 22, disk=QuickDisk())
        self.world = World(self.writer)
        self._order = 0
        self._set_id = 0
        self.world.play("open 9 STREET")
        for account in CLIENTS:
            kind = "CUSTOMER_CASH" if account == CLIENTS[-1] else "CUSTOMER_MARGIN"
            self.world.play(f"""
                open {account} {kind}
                deposit {account} {self.draw.randint(20_000, 200_000)}.00
                transfer {account} ACME {self.draw.randint(1, 300)}
                transfer {account} BETA {self.draw.randint(1, 300)}
            """)
            if self.draw.random() < 0.5:
                set_retail(self.world, account)
            elif self.draw.random() < 0.5:
                set_retail(self.world, account, False, own_asset_id=2)

    def model(self, unmodelled: tuple[int, ...] = ()) -> MarginBook:
        """Put another random set in force, with random terms of all instruments but some."""
        if self._set_id == 0:
            name_factors(self.world)
        self._set_id += 1
        put_in_force(self.world, self.draw, self._set_id)
        for number, _ in INSTRUMENTS.values():
            set_terms(self.world, self.draw, number, is_modelled=number not in unmodelled)
        return self

    def vectors(self) -> MarginBook:
        """A random vector for the contract, over one that was given before."""
        give_vector(self.world, self.draw, 3)
        give_vector(self.world, self.draw, 3)
        return self

    def terms(self) -> MarginBook:
        """Random terms of all instruments, before any set is in force."""
        name_factors(self.world)
        for number, _ in INSTRUMENTS.values():
            set_terms(self.world, self.draw, number)
        return self

    def parameters(self, **changed: int) -> MarginBook:
        """Margin by other parameters."""
        kept = {
            "initial_ppm": 1_250_001, "names_ppm": 33_333, "top_two_ppm": 200_003, "warn_ppm": 1_500_000,
            "cancel_ppm": 1_050_000, "target_ppm": 1_100_000, "retail_close_ppm": 500_000,
        }  # fmt: skip
        self.world.send(SetMarginModel, **(kept | changed))
        return self

    def trade(self, orders: int = 60) -> MarginBook:
        """Random orders around the marks, some of them linked; what is refused is refused."""
        symbols = list(INSTRUMENTS)
        for _ in range(orders):
            self._order += 1
            account, symbol = self.draw.choice((*CLIENTS, STREET, STREET)), self.draw.choice(symbols)
            side, lots = self.draw.choice(("BUY", "SELL")), self.draw.randint(1, 120)
            price, more = self.draw.randint(9_700, 10_300), self.draw.choice(("", "", "GTC", "AWAIT"))
            self._ask(f"order {account} #{self._order} {side} {lots} {symbol} @ {_dollars(price)} {more}")
        return self

    def _ask(self, line: str) -> None:
        verb, *rest = line.split()
        getattr(self.world, f"_{verb}")(*rest)

    def mark(self) -> MarginBook:
        """Move every mark a little."""
        for symbol in INSTRUMENTS:
            self.world.play(f"mark {symbol} {_dollars(self.draw.randint(9_800, 10_200))}")
        return self

    def settle(self) -> MarginBook:
        """Run the settlement cycle, where one is due: contracts are marked to cash."""
        self.world.send(RunSettlementCycle, trade_epoch_day=self.day)
        return self

    def report(self) -> MarginBook:
        """Report every account, as at the close."""
        events = self.world.send(ReportMargins, business_epoch_day=self.day)
        assert type(events[0]).__name__ == "MarginReported", events
        return self

    def next_day(self) -> MarginBook:
        """Settle what the day still has to, and begin the day after."""
        self.settle()
        following = self.day + 1
        self.world.day(str(EPOCH.fromordinal(EPOCH.toordinal() + following)))
        assert self.day == following
        return self

    @property
    def day(self) -> int:
        """The business day."""
        return int(self.world.pipeline.state.business_epoch_day)

    def lake(self) -> Home:
        """Bring the lake up to the journal; returns the home."""
        with LakeWriter(self.home, clock=FakeClock(self.world.now_ns)) as lake:
            lake.catch_up()
        return self.home

    def close(self) -> None:
        """Leave the journal to others."""
        self.writer.close()

    def __enter__(self) -> MarginBook:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
