"""A filing that the journal does not fold to is refused, and every difference is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from engine.clock import FakeClock
from engine.config import Home
from engine.projections.lake import LakeWriter
from engine.reserve.book_case import Book
from orchestration.lake.tables import DAY_NS
from orchestration.products.reserve.assets import file_reserve
from orchestration.products.reserve.live_check import live_equals_filed
from orchestration.settings import PlatformSettings
from schemas.codes import AccountClass, AssetClass, PostingReason
from schemas.codes import LedgerAccountKind as Kind
from schemas.days import date_of
from schemas.identity import AccountOpened
from schemas.ledger import Posting
from schemas.market import AssetRegistered, BusinessDayStarted
from schemas.packed import pack
from tests.support.lake_home import NOW_NS, append_frame, make_home
from tests.support.reserve_marts import EQUITY, publish_reserve, table

DAY = NOW_NS // DAY_NS
OLD = date_of(DAY) - dt.timedelta(days=40)
SETTINGS = PlatformSettings()


def event(cls: type, sequence: int, **columns: int) -> Any:
    return cls(sequence=sequence, cause_sequence=sequence, occurred_at_ns=NOW_NS, **columns)


def deposited(sequence: int, units: int) -> Any:
    return event(
        Posting, sequence, posting_reason_code=int(PostingReason.DEPOSIT), asset_id=1, amount_units=units,
        debit_account_kind_code=int(Kind.NOSTRO), debit_party_id=0,
        credit_account_kind_code=int(Kind.CLIENT), credit_party_id=1,
        reference_id=1, value_epoch_day=DAY,
    )  # fmt: skip


def the_book(credit: int = 500_00, totals: pl.DataFrame | None = None) -> Book:
    """One customer, and a count difference that only the custodian tells of: 70.00 for 40 days."""
    return Book(
        accounts=table("accounts", ("1", "customer_cash", credit, 0, None, False)),
        claims=table("claims"),
        locations=table("locations"),
        prices=table("prices"),
        totals=table("totals") if totals is None else totals,
        deposits=table("deposits", ("1", "customer", 0, EQUITY, False, 0)),
        breaks=table("totals", ("count_differences_short", None, 70_00, OLD)),
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    day = {"business_epoch_day": DAY, "next_epoch_day": DAY + 1, "second_epoch_day": DAY + 2}
    dollar = {"symbol_packed": pack("USD"), "isin_packed": 0, "unit_digits": 2}
    terms = {"client_id": 1, "max_notional_minor": 1, "rate_count": 0, "identity_document_id": 0}
    made = make_home(
        tmp_path,
        [
            event(BusinessDayStarted, 1, expired_order_count=0, **day),
            event(AssetRegistered, 2, asset_id=1, asset_class_code=int(AssetClass.CURRENCY), **dollar),
            event(
                AccountOpened, 3, account_id=1, account_class_code=int(AccountClass.CUSTOMER_CASH), **terms
            ),
        ],
        [deposited(4, 500_00)],
    )
    publish_reserve(made, the_book(), date_of(DAY))
    return made


def told(home: Home) -> list[str]:
    """What the check finds."""
    result = live_equals_filed(home=home, clock=FakeClock(NOW_NS))
    assert isinstance(result, dg.AssetCheckResult)
    assert result.severity is dg.AssetCheckSeverity.ERROR
    return [] if result.passed else str(result.metadata["first"].value).splitlines()


def test_what_is_filed_is_what_the_journal_folds_to_and_the_break(home: Home) -> None:
    filed = file_reserve(home, SETTINGS)
    lines = {line["item_number"]: line["amount_minor"] for line in filed["lines"]}
    assert (lines[1], lines[7], lines[16]) == (500_00, 70_00, 570_00)
    assert told(home) == []


def test_what_comes_after_the_filing_does_not_matter(home: Home) -> None:
    file_reserve(home, SETTINGS)
    append_frame(home, [deposited(5, 1_00)])
    with LakeWriter(home, clock=FakeClock(NOW_NS)) as lake:
        lake.catch_up()
    assert told(home) == []


def test_every_line_and_total_that_differs_is_told(home: Home) -> None:
    """The warehouse says a cent more than the journal."""
    publish_reserve(home, the_book(credit=500_01), date_of(DAY))
    file_reserve(home, SETTINGS)
    assert told(home) == [
        "customer item 1: filed 50001, live 50000",
        "customer item 16: filed 57001, live 57000",
        "customer credits_minor: filed 57001, live 57000",
        "customer requirement_minor: filed 57001, live 57000",
    ]


def test_only_breaks_may_come_from_outside_the_journal(home: Home) -> None:
    """A total of the book, which names its formula, has to be in the journal."""
    strange = table("totals", ("suspense_short", "customer", 8_00, OLD))
    publish_reserve(home, the_book(totals=strange), date_of(DAY))
    file_reserve(home, SETTINGS)
    assert "customer item 8: filed 800, live 0" in told(home)


def test_a_day_without_a_filing_fails(home: Home) -> None:
    assert told(home) == ["nothing is filed for customer accounts"]
