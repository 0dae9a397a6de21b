"""The products, in the order of a business day: each is one asset with its checks.

Owns the list. Each folder holds README.md (rule, inputs, output, deadline, owner, on failure), assets.py, checks.py.
"""

from __future__ import annotations

from typing import NamedTuple

import dagster as dg

from orchestration.products.incidents import assets as incidents
from orchestration.products.incidents import checks as incidents_checks
from orchestration.products.payment_messages import assets as payment_messages
from orchestration.products.payment_messages import checks as payment_messages_checks
from orchestration.products.reconciliation import assets as reconciliation
from orchestration.products.reconciliation import checks as reconciliation_checks
from orchestration.products.reserve import assets as reserve
from orchestration.products.reserve import checks as reserve_checks
from orchestration.products.settlement_messages import assets as settlement_messages
from orchestration.products.settlement_messages import checks as settlement_messages_checks


class Product(NamedTuple):
    """One product: what is filed, and what must be true of it."""

    asset: dg.AssetsDefinition
    checks: tuple[dg.AssetChecksDefinition, ...]


PRODUCTS = (
    Product(reconciliation.reconciliation, reconciliation_checks.CHECKS),
    Product(reserve.reserve, reserve_checks.CHECKS),
    Product(settlement_messages.settlement_messages, settlement_messages_checks.CHECKS),
    Product(payment_messages.payment_messages, payment_messages_checks.CHECKS),
    Product(incidents.incidents, incidents_checks.CHECKS),
)
