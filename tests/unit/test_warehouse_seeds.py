"""The warehouse's reference tables against what the rest of the platform says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from engine.ledger.chart import OWNER_KINDS
from schemas.codes import LedgerAccountKind
from schemas.iso20022 import parties

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_our_accounts_are_those_of_the_messages() -> None:
    number_of = {
        "NOSTRO": lambda currency, _: parties.nostro_account(currency),
        "RESERVE_BANK": parties.reserve_account,
        "PAB_RESERVE_BANK": parties.pab_reserve_account,
        "CUSTODY": lambda *_: parties.SAFEKEEPING_ACCOUNT,
    }
    for row in seed("our_accounts"):
        assert LedgerAccountKind[row["account_kind"]]
        assert row["account_number"] == number_of[row["account_kind"]](row["currency"], int(row["party_id"]))


def test_the_warehouse_knows_the_owner_side_of_the_chart() -> None:
    sql = (SEEDS.parent / "models/intermediate/ledger/int_ledger_entries.sql").read_text(encoding="utf-8")
    told = re.findall(r"'([A-Z_]+)'", sql[sql.index("account_kind in (") : sql.index("as is_owner_side")])
    assert set(told) == {kind.name for kind in OWNER_KINDS}
