"""Settlement instructions: one sese.023 for each obligation of the day, written once.

Owns: the step. Does not own: the mapping (`instructions.py`) or writing (`products.messages`).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from engine.clock import Clock
from engine.config import Home
from orchestration.products.messages import Outgoing, outbox_folder, write_new
from orchestration.products.settlement_messages.instructions import instruction
from orchestration.warehouse.marts import mart_key, mart_rows

NAME = "settlement_messages"
KEY = dg.AssetKey(["products", NAME])
MART = "pending_instructions"


@dg.asset(
    key=KEY,
    deps=[mart_key(MART), ["lake", "written_messages"]],
    group_name="products",
    kinds={"xml"},
    owners=["team:settlement"],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1)),
    description="A sese.023 for each obligation instructed on the day. Source: 17 CFR 240.15c6-1(a).",
)
def settlement_messages(home: dg.ResourceParam[Home], clock: dg.ResourceParam[Clock]) -> dg.MaterializeResult:
    """Write the instructions that are not written yet."""
    due = due_instructions(home)
    made = write_new(home, clock, NAME, due)
    return dg.MaterializeResult(
        metadata={
            "due": len(due),
            "written_now": len(made),
            "folder": dg.MetadataValue.path(str(outbox_folder(home, NAME))),
        }
    )


def due_instructions(home: Home) -> list[Outgoing]:
    """The instructions of the day, written or not, in the order of their obligations."""
    rows = sorted(mart_rows(home, MART), key=lambda r: r["obligation_id"])
    return [instruction(row) for row in rows]
