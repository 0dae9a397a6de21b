"""Payment orders: pain.001 for withdrawals, pacs.009 for reserve movements, each written once.

Owns: which payments are due and the step that writes them. Does not own: the mapping (`payments.py`).
The beneficiary's name and account go from the vault into the message, and nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from engine.gateway.vault import UnknownPerson, Vault
from orchestration.lake.tables import lake_rows
from orchestration.products.messages import Outgoing, outbox_folder, write_new
from orchestration.products.payment_messages.payments import reserve_movement, withdrawal
from orchestration.warehouse.marts import mart_key, mart_rows
from schemas.identity import AccountOpened
from schemas.iso20022.parties import RESERVE_BANKS
from schemas.market import AssetRegistered, BusinessDayStarted
from schemas.packed import unpack
from schemas.payments import WithdrawalApproved
from schemas.reserve import ReserveDepositOrdered

NAME = "payment_messages"
KEY = dg.AssetKey(["products", NAME])
MART = "pending_payments"


class Due(NamedTuple):
    """The payments of the day: what can be written, and why the rest cannot."""

    outgoing: list[Outgoing]
    problems: list[str]


@dg.asset(
    key=KEY,
    deps=[mart_key(MART), ["products", "reserve"], ["lake", "written_messages"]],
    group_name="products",
    kinds={"xml"},
    owners=["team:treasury"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1)),
    description="Orders to our banks: a pain.001 a withdrawal, a pacs.009 a reserve movement.",
)
def payment_messages(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]) -> dg.MaterializeResult:
    """Write the orders that are not written yet; what cannot be written fails the check, not the others."""
    due = due_payments(home)
    made = write_new(home, clock, NAME, due.outgoing)
    return dg.MaterializeResult(
        metadata={
            "due": len(due.outgoing),
            "written_now": len(made),
            "not_writable": len(due.problems),
            "folder": dg.MetadataValue.path(str(outbox_folder(home, NAME))),
        }
    )


def due_payments(home: Home) -> Due:
    """Withdrawals that are approved and unpaid, and the reserve orders of the day, written or not."""
    pending = mart_rows(home, MART)
    withdrawn = {r["payment_id"] for r in pending if r["payment_kind"] == "WITHDRAWAL"}
    currencies = {a.asset_id: unpack(a.symbol_packed) for a in lake_rows(home, AssetRegistered)}
    clients = {a.account_id: a.client_id for a in lake_rows(home, AccountOpened)}
    vault = Vault.open(home)
    due = Due([], [])
    for event in lake_rows(home, WithdrawalApproved):
        if event.payment_id not in withdrawn:
            continue
        try:
            person = vault.get(clients[event.account_id])
        except UnknownPerson as unknown:
            due.problems.append(f"WD{event.payment_id}: {unknown}")
            continue
        if not person.bank_bic:
            due.problems.append(f"WD{event.payment_id}: the beneficiary's bank is not on file")
            continue
        due.outgoing.append(withdrawal(event, currencies[event.asset_id], person))
    for order in _reserve_orders(home, pending):
        if order.bank_id in RESERVE_BANKS:
            due.outgoing.append(reserve_movement(order, currencies[order.asset_id]))
        else:
            due.problems.append(f"RD{order.payment_id}: no reserve bank has the number {order.bank_id}")
    return due


def _reserve_orders(home: Home, pending: list[dict[str, object]]) -> list[ReserveDepositOrdered]:
    """Orders that the mart names, and those that were approved after the marts were built."""
    named = {r["payment_id"] for r in pending if str(r["payment_kind"]).startswith("RESERVE")}
    began = max((d.sequence for d in lake_rows(home, BusinessDayStarted)), default=0)
    return [e for e in lake_rows(home, ReserveDepositOrdered) if e.payment_id in named or e.sequence > began]
