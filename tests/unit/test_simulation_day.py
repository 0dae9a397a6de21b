"""The simulated day: the same for the same seed, rich in what happens, and free of persons."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.config import Home
from engine.errors import BadInput
from engine.gateway.vault import Vault
from engine.simulation.day import SUSPENDED_ACCOUNT, play_day
from engine.simulation.world import MAKER_ACCOUNTS, make_world
from schemas.codes import AccountStatus, RejectReason
from schemas.identity import AccountStatusChanged
from schemas.incidents import AffectedIdentified, DocumentRecorded, NoticeSent
from schemas.market import Fill, OrderAccepted, OrderRefused, PlaceOrder
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
        "SAME_PERSON",
        "UNKNOWN_REFERENCE",
        "MISMATCH",
        "WRONG_STATE",
    }


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
