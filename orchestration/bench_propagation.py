"""How long until one fill's exposure shows everywhere: measured on a running book, from the order's sending.

    margin   the answer to the order holds the account's new margin, decided in the same pass and durable
    view     the live view has folded the fill
    lake     the lake's watermark has passed the fill
    product  the reconciliation report was made from a lake that holds the fill

Owns: the measurement. It runs in a home of its own and stops everything that it started.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from engine.config import Home
from engine.errors import PlatformError
from engine.gateway.client import SocketClient
from engine.projections.lake import watermark
from engine.projections.views import view_path
from engine.simulation.lobster_day import INSTRUMENT, STREET, TAKER, opening_commands
from orchestration.products.reconciliation.assets import report_sequence
from orchestration.running import dagster_programs, engine_programs, supervisor_of
from schemas.codes import OrderType, Side, TimeInForce
from schemas.market import Fill, PlaceOrder
from schemas.risk import MarginChanged

Tell = Callable[[str], None]
MARK_TICKS = 10_000
DAY = date(2026, 10, 6)
PORT = 3999
LATE_SECONDS = 120.0


class Traded(NamedTuple):
    """One fill: its sequence, when its order was sent, how long its margin took."""

    sequence: int
    sent: float
    margin_seconds: float


def measure(fills: int, product_fills: int, tell: Tell) -> dict[str, Any]:
    """Seconds from the order to each place, p50 and p99 in milliseconds, and how many fills were followed."""
    with tempfile.TemporaryDirectory(prefix="onebook-propagation-") as folder:
        home = Home(Path(folder) / "book")
        with _running(home, tell) as client:
            flow = _orders()
            tell(f"following {fills} fills to margin, view and lake")
            margin, view, lake = _follow_fills(home, client, flow, fills)
            tell(f"following {product_fills} fills to the reconciliation report")
            product = [_follow_to_product(home, client, flow, tell) for _ in range(product_fills)]
    return {
        "machine": {"cores": os.cpu_count()},
        "margin": _percentiles(margin),
        "view": _percentiles(view),
        "lake": _percentiles(lake),
        "product": _percentiles(product),
    }


@contextmanager
def _running(home: Home, tell: Tell) -> Generator[SocketClient]:
    """A book with one share, the street and a customer; engine, lake, view and Dagster's daemon run."""
    home.root.mkdir(parents=True, mode=0o700)
    supervisor = supervisor_of(home)
    signal.signal(signal.SIGTERM, _exit)  # so that nothing outlives the measurement
    client = SocketClient(home.socket)
    try:
        for program in engine_programs(home):
            tell(f"starting {program.name}")
            supervisor.start(program)
        client.submit(list(opening_commands("SHARE", DAY, MARK_TICKS, 0)))
        tell("starting the daemon")
        supervisor.start(dagster_programs(home, PORT)[1])
        yield client
    finally:
        client.close()
        supervisor.stop()


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _orders() -> Iterator[tuple[PlaceOrder, PlaceOrder]]:
    """Endless pairs: the street offers one share, the customer takes it."""
    number = 0
    while True:
        number += 1
        shared = {
            "sequence": 0, "received_at_ns": 0, "session_id": 1, "instrument_id": INSTRUMENT,
            "order_type_code": OrderType.LIMIT, "post_only_code": 0, "price_ticks": MARK_TICKS,
            "quantity_lots": 1, "client_order_id": number,
        }  # fmt: skip
        day, ioc = TimeInForce.DAY, TimeInForce.IOC
        yield (
            PlaceOrder(**shared, account_id=STREET, side_code=Side.SELL, time_in_force_code=day),
            PlaceOrder(**shared, account_id=TAKER, side_code=Side.BUY, time_in_force_code=ioc),
        )


def _trade(client: SocketClient, flow: Iterator[tuple[PlaceOrder, PlaceOrder]]) -> Traded:
    offer, take = next(flow)
    client.submit([offer])
    sent = time.monotonic()
    events = client.submit([take]).events
    took = time.monotonic() - sent
    fills = [e for e in events if isinstance(e, Fill)]
    margins = [e for e in events if isinstance(e, MarginChanged) and e.account_id == TAKER]
    if len(fills) != 1 or not margins:
        raise PlatformError("an order of the measurement did not trade")
    return Traded(fills[0].sequence, sent, took)


def _follow_fills(
    home: Home, client: SocketClient, flow: Iterator[tuple[PlaceOrder, PlaceOrder]], count: int
) -> tuple[list[float], list[float], list[float]]:
    margin: list[float] = []
    view: list[float] = []
    lake: list[float] = []
    for _ in range(count):
        traded = _trade(client, flow)
        margin.append(traded.margin_seconds)
        view.append(_until(lambda s=traded.sequence: _view_sequence(home) >= s, traded.sent))
        lake.append(_until(lambda s=traded.sequence: watermark(home) >= s, traded.sent))
    return margin, view, lake


def _follow_to_product(
    home: Home, client: SocketClient, flow: Iterator[tuple[PlaceOrder, PlaceOrder]], tell: Tell
) -> float:
    traded = _trade(client, flow)
    took = _until(lambda: report_sequence(home) >= traded.sequence, traded.sent)
    tell(f"the report shows it after {took:.1f} s")
    return took


def _until(is_there: Callable[[], bool], since: float) -> float:
    while not is_there():
        if time.monotonic() - since > LATE_SECONDS:
            raise PlatformError(f"it does not show within {LATE_SECONDS:.0f} s")
        time.sleep(0.002)
    return time.monotonic() - since


def _view_sequence(home: Home) -> int:
    return int(json.loads(view_path(home).read_bytes())["sequence"])


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"count": 0}
    ordered = sorted(1000 * s for s in seconds)
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {
        "count": len(ordered),
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(worst, 2),
    }
