"""A reserve case written down as a person would: rows as text, computed through the files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from engine.reserve.case_files import read_case
from engine.reserve.computation import Computation, Terms, compute
from engine.reserve.policy import DEFAULT, Policy
from engine.reserve.terms import Formula, Frequency, Method

AS_OF = dt.date(2026, 10, 2)
HEADERS = {
    "accounts": "account_id,class,cash_balance,margin_debit,household_id,affiliate,noncustomer_percent,"
    "omnibus_deficit,omnibus_calls",
    "claims": "issue,claim,account_id,quantity,contract_value,opened_on",
    "locations": "issue,location,account_id,quantity,contract_value,opened_on",
    "prices": "issue,price,exempt",
    "other": "item,amount,opened_on,formula",
    "deposits": "bank,cash,bank_equity,affiliate,qualified_securities,formula",
}
RICH = {"tentative_net_capital": 10**12}  # no customer's debit is ever too large


def opened(days: int) -> str:
    """The day that lies so many calendar days before the one computed for."""
    return (AS_OF - dt.timedelta(days=days)).isoformat()


def write(folder: Path, firm: dict[str, Any] | None = None, **tables: str) -> Path:
    """Write files: each table a text of rows; blanks are dropped, short rows are filled up."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        header = HEADERS[name]
        width = header.count(",")
        rows = [line.replace(" ", "") for line in text.strip().splitlines() if line.strip()]
        filled = [row + "," * (width - row.count(",")) for row in rows]
        (folder / f"{name}.csv").write_text("\n".join([header, *filled]) + "\n", encoding="utf-8")
    if firm is not None:
        (folder / "firm.json").write_text(json.dumps(firm), encoding="utf-8")
    return folder


def computed(
    folder: Path,
    method: str = "alternative",
    frequency: str = "weekly",
    *,
    pab: bool = False,
    policy: Policy = DEFAULT,
    as_of: dt.date = AS_OF,
    firm: dict[str, Any] | None = None,
    **tables: str,
) -> Computation:
    """Write a case and compute it."""
    write(folder, firm, **tables)
    formula = Formula.PAB if pab else Formula.CUSTOMER
    terms = Terms(as_of, Method(method), Frequency(frequency), formula)
    return compute(read_case(folder, as_of), terms, policy)


def dollars(minor: int | None) -> float | None:
    """Cents as dollars, for a table."""
    return None if minor is None else minor / 100
