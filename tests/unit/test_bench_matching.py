"""The two benchmark commands: what stands in a flow, what comes of a file, and which files are refused."""

from __future__ import annotations

import hashlib
import json
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from engine.benchmarks.command_file import COLUMNS, FURTHER_COLUMNS, PREFILL, columns_text, read_commands
from engine.benchmarks.passes import Replay, notional_of
from engine.market.matcher import Matcher
from engine.market.naive_book import NaiveBooks
from engine.market.requests import LARGEST_INSTRUMENT_ID, Happening, Request, Venue, pack_requests
from engine.simulation.order_flow import FlowKind, FlowWritten, write_flow
from orchestration.cli import app
from schemas.codes import (
    MarketAction,
    MarketEventKind,
    OrderLink,
    OrderType,
    PostOnly,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

RESTING, COUNT = 500, 6_000
PLACE, CANCEL, REPLACE = int(MarketAction.PLACE), int(MarketAction.CANCEL), int(MarketAction.REPLACE)
LIMIT, MARKET, IOC, GTC = (
    int(OrderType.LIMIT),
    int(OrderType.MARKET),
    int(TimeInForce.IOC),
    int(TimeInForce.GTC),
)
# op, order_id, account_id, instrument_id, side, order_type, time_in_force, price_ticks, quantity_lots
BID = (PLACE, 1, 7, 1, 0, LIMIT, GTC, 100, 5)
ASK = (PLACE, 2, 8, 1, 1, LIMIT, GTC, 101, 5)


def rows_of(path: Path) -> np.ndarray:
    """The rows of a file, (n, 9)."""
    table = pq.read_table(path)
    return np.column_stack([table.column(name).to_numpy() for name in COLUMNS])


def file_of(path: Path, rows: Any, **further: Any) -> Path:
    """A command file of rows and further columns."""
    columns = dict(zip(COLUMNS, np.array(rows, dtype=np.int64).T.tolist(), strict=True)) | further
    pq.write_table(pa.table(columns), path)
    return path


def requests_of(rows: np.ndarray) -> list[Request]:
    """The requests that rows stand for."""
    return [
        Request(
            MarketAction(op),
            order_id,
            account_id,
            instrument_id,
            Side(side + 1),
            OrderType(order_type),
            TimeInForce(life),
            price,
            lots,
        )
        for op, order_id, account_id, instrument_id, side, order_type, life, price, lots in rows.tolist()
    ]


def digest_of(happenings: list[Happening]) -> str:
    """SHA-256 over event rows made from happenings, with no place in a batch."""
    digest = hashlib.sha256()
    for h in happenings:
        word = h.kind | h.reason << 8 | h.side << 20 | h.instrument_id << 24
        accounts = h.account_id | h.other_account_id << 32
        digest.update(
            struct.pack(
                "<8q", word, h.order_id, h.other_order_id, h.price_ticks,
                h.quantity_lots, h.open_lots, accounts, h.client_order_id,
            )
        )  # fmt: skip
    return digest.hexdigest()


def run(*arguments: object) -> Result:
    """The answer of `onebook bench …`."""
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def report_of(path: Path, *options: object) -> dict[str, Any]:
    """What `onebook bench matching` prints about a file."""
    answer = run("matching", "--commands", path, "--passes", 2, *options)
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[FlowKind, int], tuple[Path, FlowWritten]]:
    """Both flows on one and on twenty instruments."""
    folder = tmp_path_factory.mktemp("flows")
    written: dict[tuple[FlowKind, int], tuple[Path, FlowWritten]] = {}
    for kind in ("A", "B"):
        for instruments in (1, 20):
            path = folder / f"{kind}{instruments}.parquet"
            written[kind, instruments] = path, write_flow(path, kind, RESTING, instruments, COUNT, 5)
    return written


# Flows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("instruments", [1, 20])
@pytest.mark.parametrize(
    ("kind", "adds", "takes", "cancels", "moves", "trading"),
    [("A", 9, 3, 6, 82, 2.6), ("B", 50, 5, 45, 0, 5)],
)
def test_the_mix(
    flows: Any, kind: str, instruments: int, adds: int, takes: int, cancels: int, moves: int, trading: float
) -> None:
    path, written = flows[kind, instruments]
    rows = rows_of(path)[RESTING:]
    op, life = rows[:, COLUMNS.index("op")], rows[:, COLUMNS.index("time_in_force")]
    is_take = (op == PLACE) & (life == IOC)
    counts = [(op == PLACE).sum() - is_take.sum(), is_take.sum(), (op == CANCEL).sum(), (op == REPLACE).sum()]
    assert list(written[1:5]) == counts and len(rows) == COUNT
    for count, wanted in zip(counts, (adds, takes, cancels, moves), strict=True):
        assert 100 * count / COUNT == pytest.approx(wanted, abs=1.5)
    assert 100 * written.trading / COUNT == pytest.approx(trading, abs=0.6)


@pytest.mark.parametrize("instruments", [1, 20])
@pytest.mark.parametrize("kind", ["A", "B"])
def test_what_a_flow_promises_of_every_command(flows: Any, kind: str, instruments: int) -> None:
    path, written = flows[kind, instruments]
    rows = rows_of(path)
    naive = NaiveBooks({i: Venue() for i in range(1, instruments + 1)}, 5_000)
    last_id, traded = 0, 0
    for n, r in enumerate(requests_of(rows)):
        if r.action == MarketAction.PLACE:
            assert r.order_id > last_id
            last_id = r.order_id
            assert 1 <= r.quantity_lots <= 100 and 1 <= r.instrument_id <= instruments
        else:
            order = naive.live[r.order_id]
            assert (r.account_id, r.instrument_id, r.side) == (
                order.account_id,
                order.instrument_id,
                order.side,
            )
            if r.action == MarketAction.REPLACE:
                assert r.quantity_lots == order.open and r.price_ticks != order.limit
        kinds = Counter(h.kind for h in naive.submit(r))
        assert not kinds[MarketEventKind.REFUSED] and r.price_ticks >= 0
        traded += n >= RESTING and kinds[MarketEventKind.TRADED] > 0
        assert n < RESTING - 1 or abs(len(naive.live) - RESTING) <= RESTING // 10
    assert len(naive.live) == written.resting and traded == written.trading
    assert set(rows[:RESTING, 0]) == {PLACE}
    assert 300 < len(set(rows[:, 2])) <= 400
    assert set(rows[:, 3]) == set(range(1, instruments + 1))
    prices = rows[rows[:, 3] == 1, 7]
    assert np.ptp(prices[prices > 0]) > 200


def test_targets_of_b_are_recent_by_half(flows: Any) -> None:
    rows = rows_of(flows["B", 1][0])[RESTING:]
    newest = np.maximum.accumulate(np.where(rows[:, 0] == PLACE, rows[:, 1], RESTING))
    is_cancel = rows[:, 0] == CANCEL
    is_recent = newest[is_cancel] - rows[is_cancel, 1] < 100
    assert 0.45 < is_recent.mean() < 0.65


def test_weights_of_instruments_differ(flows: Any) -> None:
    counts = Counter(rows_of(flows["A", 20][0])[:, 3].tolist())
    assert max(counts.values()) > 3 * min(counts.values())


def test_a_seed_decides_everything(tmp_path: Path) -> None:
    rows = []
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        answer = run("flow", "--kind", "A", "--resting", 50, "--instruments", 3, "--commands", 500,
                     "--seed", seed, "--out", tmp_path / name)  # fmt: skip
        assert answer.exit_code == 0 and "50 resting orders, then 500 commands" in answer.stdout
        rows.append(rows_of(tmp_path / name))
    assert np.array_equal(rows[0], rows[1]) and not np.array_equal(rows[0], rows[2])


def test_the_metadata_of_a_flow(flows: Any) -> None:
    path, _ = flows["B", 20]
    schema = pq.read_schema(path)
    assert schema.names == list(COLUMNS) and {field.type for field in schema} == {pa.int64()}
    told = {k.decode(): v.decode() for k, v in schema.metadata.items()}
    assert told == {
        "onebook.kind": "B", "onebook.resting": str(RESTING), "onebook.instruments": "20",
        "onebook.seed": "5", PREFILL: str(RESTING),
    }  # fmt: skip


def test_few_orders_on_many_instruments(tmp_path: Path) -> None:
    for kind in ("A", "B"):
        written = write_flow(tmp_path / "f", kind, 2, 50, 2_000, 1)
        assert 0 <= written.resting <= 20
        assert report_of(tmp_path / "f")["refusals"] == {}


# Reports -----------------------------------------------------------------------------------


@pytest.mark.parametrize("instruments", [1, 20])
@pytest.mark.parametrize("kind", ["A", "B"])
def test_the_report_tells_what_the_specification_does(flows: Any, kind: str, instruments: int) -> None:
    path, _ = flows[kind, instruments]
    requests = requests_of(rows_of(path))
    venues = {i: Venue() for i in range(1, instruments + 1)}
    naive = NaiveBooks(venues, 5_000)
    happenings = [h for r in requests for h in naive.submit(r)]
    assert digest_of(Matcher(venues, 5_000).submit_all(requests)) == digest_of(happenings)
    trades = [h for h in happenings if h.kind == MarketEventKind.TRADED]
    reports = [report_of(path, "--batch", batch) for batch in (1, 37, 4_096, 1 << 18)]
    for report in reports:
        assert report["digest"] == digest_of(happenings)
        assert report["events"] == len(happenings)
        assert report["trades"] == len(trades)
        assert report["volume_lots"] == sum(t.quantity_lots for t in trades)
        assert report["notional"] == sum(t.price_ticks * t.quantity_lots for t in trades)
        assert report["live_orders"] == len(naive.live)
        assert report["refusals"] == {}
        assert (report["commands"], report["timed_from"], report["timed_commands"]) == (
            RESTING + COUNT,
            RESTING,
            COUNT,
        )
        assert report["instruments"] == instruments and report["passes"] == 2


def test_the_report_has_every_figure(flows: Any) -> None:
    report = report_of(flows["A", 1][0], "--timed-from", 2_000, "--batch", 64)
    assert (report["timed_from"], report["timed_commands"], report["batch"]) == (
        2_000,
        RESTING + COUNT - 2_000,
        64,
    )
    for name in ("cpu_median", "cpu_best", "wall_median", "wall_best"):
        assert report["operations_per_second"][name] > 0
    for name in ("p50", "p99", "p99_9"):
        assert report["ns_per_command_in_batches"][name] > 0
        assert report["ns_of_single_commands"][name] > 0
    assert set(report["us_per_call_of_one_command"]) == {"p50", "overhead"}
    assert report["kernels_were_cold"] in (True, False)
    for name in ("peak_memory_mib", "import_seconds", "first_call_seconds"):
        assert report[name] >= 0
    assert report["metadata"]["onebook.kind"] == "A"
    assert set(report["machine"]) >= {"cpu", "cores", "python", "numba", "load_average"}


def test_room_for_orders_is_enough_or_as_given(flows: Any) -> None:
    path, written = flows["A", 1]
    assert report_of(path)["orders_capacity"] >= written.resting
    report = report_of(path, "--orders", 450)
    assert report["orders_capacity"] == 450
    assert report["refusals"]["BOOK_FULL"] >= 50


def test_a_file_of_anybody(tmp_path: Path) -> None:
    rows = [BID, ASK, (PLACE, 3, 7, 1, 1, LIMIT, IOC, 100, 2), (CANCEL, 2, 8, 1, 1, 0, 0, 0, 0)]
    report = report_of(file_of(tmp_path / "f", rows, comment=["a", "b", "c", "d"]))
    assert (report["trades"], report["volume_lots"], report["notional"]) == (1, 2, 200)
    assert (report["live_orders"], report["timed_from"], report["metadata"]) == (1, 0, {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((PLACE, 9, 7, 1, 0, 99, GTC, 100, 5), RejectReason.UNKNOWN_CODE),
        ((PLACE, 9, 7, 1, 0, 0, GTC, 100, 5), RejectReason.UNKNOWN_CODE),
        ((PLACE, 9, 7, 1, 0, LIMIT, 255, 100, 5), RejectReason.UNKNOWN_CODE),
        ((PLACE, 9, 7, 1, 0, LIMIT, 0, 100, 5), RejectReason.UNKNOWN_CODE),
        ((200, 9, 7, 1, 0, LIMIT, GTC, 100, 5), RejectReason.UNKNOWN_CODE),
        ((PLACE, 9, 7, 1, 0, LIMIT, GTC, 1 << 62, 5), RejectReason.BAD_PRICE),
        ((PLACE, 9, 7, 1, 0, LIMIT, GTC, -(1 << 63), 5), RejectReason.BAD_PRICE),
        ((PLACE, 9, 7, 1, 0, LIMIT, GTC, 100, 0), RejectReason.BAD_QUANTITY),
        ((PLACE, 9, 7, 1, 0, LIMIT, GTC, 100, -(1 << 63)), RejectReason.BAD_QUANTITY),
        ((PLACE, 0, 7, 1, 0, LIMIT, GTC, 100, 5), RejectReason.DUPLICATE_ID),
        ((PLACE, -(1 << 63), 7, 1, 0, LIMIT, GTC, 100, 5), RejectReason.DUPLICATE_ID),
        ((PLACE, 1, 7, 1, 0, LIMIT, GTC, 100, 5), RejectReason.DUPLICATE_ID),
        ((CANCEL, 5, 7, 1, 0, LIMIT, GTC, 100, 5), RejectReason.UNKNOWN_ORDER),
        ((REPLACE, (1 << 63) - 1, 7, 1, 0, LIMIT, GTC, 1 << 62, 5), RejectReason.UNKNOWN_ORDER),
        ((PLACE, 9, 7, 1, 0, int(OrderType.STOP), GTC, 0, 5), None),
        ((PLACE, 9, 7, 1, 0, LIMIT, int(TimeInForce.GTD), 100, 5), RejectReason.BAD_TERMS),
        ((PLACE, 9, 7, LARGEST_INSTRUMENT_ID, 1, MARKET, IOC, 0, 5), None),
    ],
)
def test_what_the_engine_refuses(tmp_path: Path, row: tuple[int, ...], reason: RejectReason | None) -> None:
    report = report_of(file_of(tmp_path / "f", [BID, ASK, row]))
    assert report["refusals"] == ({} if reason is None else {reason.name: 1})


def test_every_column_reaches_the_engine(tmp_path: Path) -> None:
    further: dict[str, list[int]] = {name: [1, 0] for name in FURTHER_COLUMNS}
    further |= {
        "group_id": [3, 4], "session_id": [5, 6], "client_order_id": [-7, 8], "received_at_ns": [9, -10],
        "post_only": [0, 2], "self_trade": [4, 7],
        "display_lots": [0, 2], "minimum_lots": [0, 1 << 40], "stop_ticks": [0, -1], "trail_ticks": [0, 12],
        "offset_ticks": [0, 13], "expires_at_ns": [0, 14], "linked_order_id": [0, 15], "link": [0, 3],
    }  # fmt: skip
    file = read_commands(file_of(tmp_path / "f", [BID, ASK], **further))
    enums = {"post_only": PostOnly, "link": OrderLink}
    wanted = [
        request._replace(
            **{
                name: enums[name](values[n]) if name in enums else values[n]
                for name, values in further.items()
            }
        )
        for n, request in enumerate(requests_of(np.array([BID, ASK])))
    ]
    commands, terms = pack_requests(wanted)
    assert file.commands.tolist() == commands.tolist() and file.terms.tolist() == terms.tolist()
    assert set(further) | set(COLUMNS) | {"action"} == {*Request._fields, "op"}


def test_terms_and_groups_decide(tmp_path: Path) -> None:
    rows = [
        (PLACE, 1, 7, 1, 1, LIMIT, GTC, 100, 10),  # an iceberg of five slices
        (PLACE, 2, 8, 1, 0, int(OrderType.STOP), GTC, 0, 1),
        (PLACE, 3, 9, 1, 0, LIMIT, IOC, 100, 6),
        (PLACE, 4, 7, 1, 0, LIMIT, IOC, 100, 1),  # of the iceberg's group
    ]
    columns = {
        "display_lots": [2, 0, 0, 0], "stop_ticks": [0, 100, 0, 0], "group_id": [1, 0, 0, 1],
        "self_trade": [0, 0, 0, int(SelfTradePrevention.CANCEL_AGGRESSING)],
    }  # fmt: skip
    report = report_of(file_of(tmp_path / "f", rows, **columns), "--batch", 3)
    assert report["volume_lots"] == 7 and report["live_orders"] == 1 and report["refusals"] == {}


def test_a_sweep_of_icebergs_that_grew_in_the_same_batch_has_room(tmp_path: Path) -> None:
    rows = [(PLACE, n, 7, 1, 1, LIMIT, GTC, 100, 1) for n in range(1, 21)]
    rows += [(REPLACE, n, 7, 1, 1, LIMIT, GTC, 101, 1_000) for n in range(1, 21)]
    rows += [(PLACE, 99, 8, 1, 0, LIMIT, IOC, 101, 20_000)]
    report = report_of(file_of(tmp_path / "f", rows, display_lots=[1] * 20 + [0] * 21))
    assert report["trades"] == 20_000 and report["live_orders"] == 0


def test_passes_that_differ_end_with_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of(tmp_path / "f", [BID, ASK])
    images = iter(range(100))
    monkeypatch.setattr(Replay, "_image", lambda _: str(next(images)))
    answer = run("matching", "--commands", path)
    assert answer.exit_code == 3 and "INVARIANT BROKEN: f: two passes" in answer.stderr
    monkeypatch.setattr(Replay, "_image", lambda _: "")
    digests = iter(range(100))
    told = Replay.tell
    monkeypatch.setattr(Replay, "tell", lambda r, batch: told(r, batch)._replace(digest=str(next(digests))))
    answer = run("matching", "--commands", path)
    assert answer.exit_code == 3 and "INVARIANT BROKEN: f: passes over" in answer.stderr


def test_notional_is_exact() -> None:
    largest = np.array([1 << 40, -(1 << 40), 1 << 40]), np.array([(1 << 31) - 1] * 3)
    assert notional_of(*largest) == (1 << 40) * ((1 << 31) - 1)
    assert notional_of(np.array([3, -4]), np.array([5, 6])) == -9
    assert notional_of(np.array([], dtype=np.int64), np.array([], dtype=np.int64)) == 0


def test_the_codes_stand_in_the_help() -> None:
    for codes in (MarketAction, OrderType, TimeInForce, PostOnly, SelfTradePrevention, OrderLink):
        for code in codes:
            assert f"{code} {code.name}" in columns_text()
    answer = run("matching", "--help")
    assert answer.exit_code == 0
    for name in (*COLUMNS, *FURTHER_COLUMNS):
        assert name in answer.stdout


# Files that are refused --------------------------------------------------------------------


def changed(name: str, value: int) -> list[tuple[int, ...]]:
    """Two good rows and one with another value in a column."""
    row = list((PLACE, 3, 7, 1, 0, LIMIT, GTC, 90, 5))
    row[COLUMNS.index(name)] = value
    return [BID, ASK, tuple(row)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instrument_id", 0), ("instrument_id", -1), ("instrument_id", LARGEST_INSTRUMENT_ID + 1),
        ("side", 2), ("side", -1), ("op", 256), ("op", -1), ("order_type", 256), ("order_type", -1),
        ("time_in_force", 256), ("account_id", -1), ("account_id", 1 << 31),
    ],
)  # fmt: skip
def test_numbers_without_a_place_name_their_row(tmp_path: Path, name: str, value: int) -> None:
    answer = run("matching", "--commands", file_of(tmp_path / "f.parquet", changed(name, value)))
    assert answer.exit_code == 2 and answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert f"f.parquet: row 2 (the first is 0): {name} {value} is not" in answer.stderr


@pytest.mark.parametrize(
    ("name", "values"),
    [("group_id", [0, -1]), ("session_id", [0, 1 << 31]), ("post_only", [0, 4]), ("self_trade", [0, 8]),
     ("is_reduce_only", [0, 2]), ("is_one_sided", [0, -1])],
)  # fmt: skip
def test_further_columns_have_bounds_too(tmp_path: Path, name: str, values: list[int]) -> None:
    answer = run("matching", "--commands", file_of(tmp_path / "f", [BID, ASK], **{name: values}))
    assert answer.exit_code == 2 and f"row 1 (the first is 0): {name} {values[1]} is not" in answer.stderr


def test_columns_that_are_missing_or_not_integers(tmp_path: Path) -> None:
    good = dict(zip(COLUMNS, ([n] for n in BID), strict=True))
    for table, told in (
        (pa.table({k: v for k, v in good.items() if k != "side"}), "no column side"),
        (pa.table(good | {"side": [0.0]}), "column side is double, not int64"),
        (pa.table(good | {"price_ticks": ["100"]}), "column price_ticks is string"),
        (pa.table(good | {"price_ticks": pa.array([None], pa.int64())}), "row 0 (the first is 0): price_"),
        (pa.table(good | {"order_id": pa.array([1 << 63], pa.uint64())}), "order_id does not fit"),
        (pa.table([*good.values(), [1]], [*COLUMNS, "op"]), "column op more than once"),
        (pa.table({k: pa.array([], pa.int64()) for k in COLUMNS}), "holds no commands"),
        (pa.table(good).replace_schema_metadata({PREFILL: "2"}), "the metadata tells onebook.prefill '2'"),
        (pa.table(good).replace_schema_metadata({PREFILL: "1"}), "no command is left to time"),
    ):  # fmt: skip
        pq.write_table(table, tmp_path / "f")
        answer = run("matching", "--commands", tmp_path / "f")
        assert answer.exit_code == 2 and answer.stderr.count("\n") == 1, told
        assert told in answer.stderr


def test_narrow_integers_will_do(tmp_path: Path) -> None:
    columns = dict(zip(COLUMNS, ([a, b] for a, b in zip(BID, ASK, strict=True)), strict=True))
    table = pa.table({name: pa.array(values, pa.int16()) for name, values in columns.items()})
    pq.write_table(table.append_column("is_reduce_only", pa.array([False, True])), tmp_path / "f")
    assert report_of(tmp_path / "f")["live_orders"] == 2


def test_what_is_no_command_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("op,order_id\n")
    whole = file_of(tmp_path / "whole", [BID] * 1_000).read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    for name in ("text", "cut", "none", "."):
        answer = run("matching", "--commands", tmp_path / name)
        assert answer.exit_code == 2 and answer.stderr.count("\n") == 1, name
        assert answer.stderr.startswith("onebook: ")


def test_options_without_sense(tmp_path: Path) -> None:
    path = file_of(tmp_path / "f", [BID, ASK])
    for options in (("--batch", (1 << 18) + 1), ("--timed-from", 2), ("--orders", 1 << 27), ("--batch", 0)):
        assert run("matching", "--commands", path, *options).exit_code == 2, options
    for options in (("--resting", 0), ("--resting", 1 << 40), ("--instruments", 1 << 30), ("--kind", "C")):
        assert run("flow", "--kind", "A", "--out", tmp_path / "g", *options).exit_code == 2, options
    assert run("flow", "--kind", "A", "--out", tmp_path / "none" / "g", "--commands", 1).exit_code == 2
