"""The treasury and reserve desks' day: every command of financing, safekeeping and reserve is used."""

from __future__ import annotations

import pytest

from engine.simulation.day import DEFAULT_DAY
from schemas import financing, identity, payments, reserve, safekeeping
from schemas.codes import LedgerAccountKind as Kind
from schemas.days import date_of
from schemas.financing import FinancingOpened
from schemas.market import CommandRefused
from schemas.record import Role, journaled, record_of
from schemas.safekeeping import (
    CountDifferenceFound,
    DistributionDeclared,
    SuspenseOpened,
    TransferSent,
)
from tests.support.played_day import played

SEED = 1
DOMAINS = {module.__name__.rsplit(".", 1)[-1] for module in (financing, reserve, safekeeping)}
OTHERS = (
    identity.LinkAccount,
    payments.IssueDraft,
    payments.ConfirmDraft,
)
RECORDS = [*(r for r in journaled() if r.domain in DOMAINS), *(record_of(cls) for cls in OTHERS)]
COMMANDS = {r.name: r.type_code for r in RECORDS if r.role is Role.COMMAND}


def test_every_command_is_used_and_none_is_refused() -> None:
    used = {name for batch in played(SEED).batches for name, _ in batch}
    assert set(COMMANDS) <= used
    refused = {int(row["command_type"]) for row in played(SEED).rows(CommandRefused)}
    assert not refused & set(COMMANDS.values())


def test_every_event_happens() -> None:
    events = [r for r in RECORDS if r.role is Role.EVENT and r.cls is not reserve.ReserveSecuritiesMoved]
    assert [r.name for r in events if not played(SEED).rows(r.cls)] == []


@pytest.mark.parametrize("seed", [2, 3])
def test_another_seed_has_another_day_that_is_not_refused_either(seed: int) -> None:
    refused = {int(row["command_type"]) for row in played(seed).rows(CommandRefused)}
    assert not refused & set(COMMANDS.values())
    first, other = ([int(r["financed_units"]) for r in played(s).rows(FinancingOpened)] for s in (1, seed))
    assert first != other


@pytest.mark.parametrize(
    ("cls", "most_days"),
    [
        (TransferSent, 40),  # Item 9
        (CountDifferenceFound, 30),  # Item 7
        (SuspenseOpened, 30),  # Item 8
        (DistributionDeclared, 30),  # Item 6
    ],
)
def test_each_ageing_line_has_something_over_its_limit(cls: type, most_days: int) -> None:
    opened = [date_of(int(r["opened_epoch_day"])) for r in played(SEED).rows(cls)]
    assert max((DEFAULT_DAY - day).days for day in opened) > most_days


def test_something_of_each_kind_is_left_at_the_end_of_the_day() -> None:
    """So that the formula of the day has a source for it."""
    left = played(SEED).state.balances
    none = [kind.name for kind in Kind if not left.rows_of(kind).any()]
    assert none == []
