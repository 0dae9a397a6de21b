"""What the reserve is computed by and the journal does not say, as the warehouse is told it.

Owns nothing: dbt_project.yml has the values, so that what is filed and what is live cannot differ in them.
"""

from __future__ import annotations

from engine.projections.reserve_view import ReserveRules
from engine.reserve.terms import Frequency, Method
from orchestration.settings import DBT_PROJECT


def reserve_rules() -> ReserveRules:
    """Method and frequency."""
    import yaml

    told = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    return ReserveRules(
        Method(told["reserve_method"]),
        Frequency(told["reserve_frequency"]),
    )
