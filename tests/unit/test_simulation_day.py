"""The simulated day: the same for the same seed, rich in what happens, and free of persons."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.config import Home
from engine.errors import BadInput
from engine.gateway.vault import Vault
from engine.risk.account_kernel import held_lots
from engine.simulation.day import DEFAULT_DAY, LOST_MAKER, SUSPENDED_ACCOUNT, play_day
from engine.simulation.mishaps import CRASHED, FAT_FINGERED
from engine.simulation.order_watch import OrderWatch
from engine.simulation.venue import CASH_CLIENTS, LIQUIDITY_PROGRAM, fee_group
from engine.simulation.world import LISTINGS, MAKER_ACCOUNTS, make_world
from schemas.codes import (
    AccountStatus,
    InstrumentClass,
    InstrumentState,
    OrderLink,
    OrderType,
    RejectReason,
    TimeInForce,
)
from schemas.codes import MarketEventReason as Why
from schemas.identity import AccountStatusChanged
from schemas.incidents import AffectedIdentified, DocumentRecorded, NoticeSent
from schemas.market import (
    AuctionUncrossed,
    CancelOrders,
    Fill,
    InstrumentStateChanged,
    KillSwitchSet,
    OrderAccepted,
    OrderCancelled,
    OrderRefused,
    PlaceOrder,
)
from schemas.record import Role
from tests.support.played_day import SCALE, KeptJournal, Played, play, played

SEED = 1


def test_same_seed_gives_same_commands_in_same_batches() -> None:
    first, second = played(SEED), play(SEED)
    assert first.batches == second.batches
    assert first.day == second.day
    assert first.labels == second.labels
    assert first.inbox("") == second.inbox("")


def test_other_seed_gives_another_day() -> None:
    assert played(SEED).batches != played(2).batches


def test_scale_multiplies_trading_commands() -> None:
    assert play(SEED, 2 * SCALE).day.order_count > played(SEED).day.order_count


def test_counts_are_those_of_the_journal() -> None:
    world = played(SEED)
    assert world.day.order_count == len(world.rows(PlaceOrder))
    assert world.day.fill_count == len(world.rows(Fill)) > 100
    assert world.day.frame_count == len(world.frames) == len(world.batches)
    assert world.day.refused["WOULD_TAKE"] == sum(
        row["reject_reason_code"] == RejectReason.WOULD_TAKE for row in world.rows(OrderRefused)
    )
    assert set(world.day.last_marks) >= {"QALD", "EURUSD", "BTCUSD", "BTCPERP"}


def test_time_never_goes_back() -> None:
    received = [values[1] for batch in played(SEED).batches for _, values in batch]
    assert received == sorted(received)


def test_orders_are_refused_for_many_reasons() -> None:
    reasons = set(played(SEED).day.refused) | set(played(2).day.refused)
    assert reasons >= {
        "UNKNOWN_ACCOUNT",
        "ACCOUNT_RESTRICTED",
        "ACCOUNT_SUSPENDED",
        "ACCOUNT_CLOSED",
        "UNKNOWN_INSTRUMENT",
        "UNKNOWN_CODE",
        "BAD_QUANTITY",
        "BAD_PRICE",
        "PRICE_OUTSIDE_COLLAR",
        "NOTIONAL_TOO_LARGE",
        "ORDER_TOO_LARGE",
        "DUPLICATE_ID",
        "RATE_EXCEEDED",
        "INSUFFICIENT_SECURITIES",
        "WOULD_TAKE",
        "CANNOT_FILL",
        "UNKNOWN_ORDER",
        "WRONG_SESSION",
        "BAD_TERMS",
        "BAD_LINK",
        "WOULD_INCREASE",
        "NOT_AMENDABLE",
        "TRADING_STOPPED",
        "SAME_PERSON",
        "UNKNOWN_REFERENCE",
        "MISMATCH",
        "WRONG_STATE",
    }


def test_every_kind_of_order_is_accepted() -> None:
    rows = [*played(SEED).rows(OrderAccepted), *played(2).rows(OrderAccepted)]
    assert {OrderType(int(r["order_type_code"])) for r in rows} == set(OrderType)
    assert {TimeInForce(int(r["time_in_force_code"])) for r in rows} == set(TimeInForce)
    placed = [*played(SEED).rows(PlaceOrder), *played(2).rows(PlaceOrder)]
    terms = ("display_lots", "minimum_lots", "stop_ticks", "trail_ticks", "offset_ticks", "expires_at_ns")
    assert all(any(r[name] for r in placed) for name in (*terms, "is_reduce_only"))
    assert {int(r["order_link_code"]) for r in placed} == set(OrderLink)


def test_orders_end_for_many_reasons() -> None:
    reasons = set(played(SEED).day.ended) | set(played(2).day.ended)
    assert reasons >= {
        "ASKED",
        "AUCTION",
        "DAY_END",
        "DISCONNECT",
        "ENTRY",
        "LINKED",
        "MASS_CANCEL",
        "SELF_TRADE",
        "TIME",
        "UNFILLED",
    }


def test_each_session_begins_and_ends_with_an_auction() -> None:
    world = played(SEED)
    found: dict[tuple[date, InstrumentState], int] = {}
    states: dict[int, InstrumentState] = {}
    happened = [*world.rows(AuctionUncrossed), *world.rows(InstrumentStateChanged)]
    for row in sorted(happened, key=lambda r: int(r["sequence"])):
        if "instrument_state_code" in (row.dtype.names or ()):
            states[int(row["instrument_id"])] = InstrumentState(int(row["instrument_state_code"]))
            continue
        day = datetime.fromtimestamp(int(row["occurred_at_ns"]) // 10**9, UTC).date()
        key = day, states[int(row["instrument_id"])]
        found[key] = found.get(key, 0) + int(row["quantity_lots"])
    for day in (date(2026, 10, 5), DEFAULT_DAY):
        assert found[day, InstrumentState.OPENING_AUCTION] > 100
        assert found[day, InstrumentState.CLOSING_AUCTION] > 100
    assert found[DEFAULT_DAY, InstrumentState.VOLATILITY_AUCTION] > 0
    assert sum(bool(r["is_auction"]) for r in world.rows(Fill)) > 50


@pytest.mark.parametrize("seed", [SEED, 2, 3])
def test_price_bands_catch_the_fat_finger_and_the_crash_alone(seed: int) -> None:
    rows = [r for r in played(seed).rows(InstrumentStateChanged) if r["order_end_code"] != Why.ASKED]
    told = [
        (int(r["instrument_id"]), int(r["instrument_state_code"]), int(r["order_end_code"])) for r in rows
    ]
    assert told == [
        (FAT_FINGERED.instrument_id, InstrumentState.VOLATILITY_AUCTION, Why.PRICE_BAND),
        (CRASHED.instrument_id, InstrumentState.HALTED, Why.CIRCUIT_BREAKER),
    ]


@pytest.mark.parametrize("seed", [SEED, 2, 3])
def test_no_owner_trades_with_itself_but_in_an_auction(seed: int) -> None:
    owners = {h.account_id: h.client_id for h in make_world(seed).holders}
    for fill in played(seed).rows(Fill):
        taker, maker = (owners[int(fill[f"{side}_account_id"])] for side in ("taker", "maker"))
        assert fill["is_auction"] or taker != maker


def test_fees_are_charged_and_rebated_by_group() -> None:
    world = played(SEED)
    groups = {h.account_id: fee_group(h) for h in make_world(SEED).holders}
    made: dict[tuple[int, str], list[int]] = {}
    for fill in world.rows(Fill):
        for side in ("taker", "maker"):
            account_id = int(fill[f"{side}_account_id"])
            if account_id in MAKER_ACCOUNTS:
                assert fill[f"{side}_fee_minor"] == 0  # the street clears elsewhere
            else:
                made.setdefault((groups[account_id], side), []).append(int(fill[f"{side}_fee_minor"]))
    assert min(made[CASH_CLIENTS, "taker"]) >= 0 and max(made[CASH_CLIENTS, "taker"]) > 0
    assert min(made[LIQUIDITY_PROGRAM, "maker"]) < 0
    assert min(made[LIQUIDITY_PROGRAM, "taker"]) < 0 < max(made[LIQUIDITY_PROGRAM, "taker"])


def test_a_lost_session_loses_all_its_orders() -> None:
    world = played(SEED)
    (lost,) = (r for r in world.rows(CancelOrders) if r["is_disconnect"])
    ended = [r for r in world.rows(OrderCancelled) if r["cause_sequence"] == lost["sequence"]]
    assert len(ended) > 20
    assert {int(r["account_id"]) for r in ended} == {LOST_MAKER}
    assert {int(r["order_end_code"]) for r in ended} == {Why.DISCONNECT}


def test_the_kill_switch_lets_cancels_pass_and_nothing_else() -> None:
    world = played(SEED)
    on, off = world.rows(KillSwitchSet)
    assert (int(on["is_stopped"]), int(off["is_stopped"])) == (1, 0)
    between = range(int(on["sequence"]), int(off["sequence"]))
    refused = [r for r in world.rows(OrderRefused) if int(r["sequence"]) in between]
    assert [int(r["reject_reason_code"]) for r in refused] == [RejectReason.TRADING_STOPPED]
    assert [r for r in world.rows(OrderCancelled) if int(r["sequence"]) in between]
    assert not [r for r in world.rows(OrderAccepted) if int(r["sequence"]) in between]


@pytest.mark.parametrize("seed", [SEED, 2, 3])
def test_what_traders_know_of_their_orders_is_what_lives(seed: int) -> None:
    world = played(seed)
    watch = OrderWatch()
    for frame in world.frames:
        watch.see(frame)
    live = world.state.books.orders()
    lots = live["open_lots"] + live["hidden_lots"]
    assert {o.order_id: o.open_lots for o in watch.all_open()} == dict(
        zip(live["order_id"].tolist(), lots.tolist(), strict=True)
    )
    assert {o.life for o in watch.all_open()} >= {TimeInForce.DAY, TimeInForce.GTC}


@pytest.mark.parametrize("seed", [SEED, 2, 3])
def test_nobody_sells_what_is_not_there(seed: int) -> None:
    world = played(seed)
    contracts = (InstrumentClass.CFD, InstrumentClass.PERPETUAL)
    tables = world.state.instruments, world.state.positions, world.state.balances.amounts
    for holder in make_world(seed).traders():
        for listing in LISTINGS:
            if listing.instrument_class not in contracts:
                assert held_lots(*tables, holder.account_id, listing.instrument_id) >= 0


@pytest.mark.parametrize("seed", [SEED, 2, 3])
def test_every_event_is_within_its_declaration(seed: int) -> None:
    for frame in played(seed).frames:
        for section in frame.sections:
            if section.record.role is not Role.EVENT:
                continue
            for column in section.record.columns:
                values = section.rows[column.name]
                assert column.kind.ge is None or (values >= column.kind.ge).all(), column.name
                assert column.kind.le is None or (values <= column.kind.le).all(), column.name


def test_suspended_account_trades_before_and_not_after() -> None:
    world = played(SEED)
    (suspended,) = (
        int(row["sequence"])
        for row in world.rows(AccountStatusChanged)
        if row["account_id"] == SUSPENDED_ACCOUNT and row["account_status_code"] == AccountStatus.SUSPENDED
    )
    accepted = [int(r["order_id"]) for r in world.rows(OrderAccepted) if r["account_id"] == SUSPENDED_ACCOUNT]
    assert accepted and max(accepted) < suspended
    later = [
        int(r["reject_reason_code"])
        for r in world.rows(OrderRefused)
        if r["account_id"] == SUSPENDED_ACCOUNT and r["sequence"] > suspended
    ]
    assert later and set(later) == {RejectReason.ACCOUNT_SUSPENDED}


def test_makers_quote_and_clients_take() -> None:
    fills = played(SEED).rows(Fill)
    makers = [int(r["maker_account_id"]) in MAKER_ACCOUNTS for r in fills]
    takers = [int(r["taker_account_id"]) not in MAKER_ACCOUNTS for r in fills]
    assert sum(makers) > len(fills) // 2
    assert sum(takers) > len(fills) // 2


def test_breach_leaves_documents_whose_digests_are_on_record() -> None:
    import hashlib

    world = played(SEED)
    recorded = world.rows(DocumentRecorded)
    assert len(recorded) == 5
    for row in recorded:
        content = (world.home.root / "documents" / f"{row['document_id']}.txt").read_bytes()
        digest = b"".join(int(row[f"digest_{n}_word"]).to_bytes(8, "big", signed=True) for n in "abcd")
        assert digest == hashlib.sha256(content).digest()
    affected = [int(r["client_id"]) for r in world.rows(AffectedIdentified)]
    assert len(affected) == 5
    assert sorted(affected) == sorted(int(r["client_id"]) for r in world.rows(NoticeSent))


def test_persons_stand_in_the_vault_only() -> None:
    world = played(SEED)
    vault = Vault.open(world.home)
    persons = [vault.get(client_id) for client_id in make_world(SEED).client_ids()]
    told = [p.read_bytes() for p in _files(world) if world.home.vault not in p.parents]
    assert len(told) > 20
    for secret in {p.iban for p in persons} | {p.name for p in persons}:
        assert not any(secret.encode() in content for content in told)


def _files(world: Played) -> list[Path]:
    return [p for p in world.home.root.rglob("*") if p.is_file()]


@pytest.mark.parametrize("day", [date(2026, 10, 4), date(2026, 12, 25)])
def test_no_day_without_a_session(day: date, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a business day"):
        play_day(_no_engine(), Home(tmp_path), FakeClock(0), seed=1, business_date=day)


def test_day_after_a_weekend_has_its_eve_on_friday() -> None:
    world = play(SEED, SCALE, date(2026, 10, 12))
    names = [name for name in world.inbox("camt.053") if "NOSTRO-USD" in name]
    assert [n[-12:-4] for n in names] == ["20261009", "20261012"]


def _no_engine():  # type: ignore[no-untyped-def]
    from engine.pipeline import Pipeline

    return Pipeline(None, KeptJournal())
