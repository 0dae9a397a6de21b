"""The products, in the order of a business day: each is one asset with its checks.

Owns the list. Each folder holds README.md (rule, inputs, output, deadline, owner, on failure), assets.py, checks.py.
"""

from __future__ import annotations

from typing import NamedTuple

import dagster as dg

from orchestration.products.incidents import assets as incidents
from orchestration.products.incidents import checks as incidents_checks


class Product(NamedTuple):
    """One product: what is filed, and what must be true of it."""

    asset: dg.AssetsDefinition
    checks: tuple[dg.AssetChecksDefinition, ...]


PRODUCTS = (
    Product(incidents.incidents, incidents_checks.CHECKS),
)
