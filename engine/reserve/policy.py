"""Where the rule can be read in two ways, which way is taken, and why.

Owns: the switches, their defaults and reasons, and the version of the rules that an output names. A switch is
a change of outcomes: it shows in `rule_version`. Does not own the order of allocation (`matrix.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

RULES = "17 CFR 240.15c3-3 and 240.15c3-3a as amended 2024-03-18"


class ConcentrationCut(StrEnum):
    """By how much Note E(1) cuts debits where one security exceeds 15 % of all margin collateral."""

    EXCESS = "excess"
    DEBIT_BEHIND_EXCESS = "debit_behind_excess"  # the excess divided by 140 %


class CutOverlap(StrEnum):
    """How the cuts of Notes E(1) and E(5) meet in one customer's debit."""

    BOTH = "both"  # each from the whole debit; together no more than the debit
    IN_TURN = "in_turn"  # E(5) from what E(1) left


class PartlySecured(StrEnum):
    """What counts of a debit that is larger than the value of the account's securities."""

    SECURED_PART = "secured_part"
    NOTHING = "nothing"


class FirmShortCredit(StrEnum):
    """The credit of Item 5 for customers' securities that cover a short position of the firm."""

    MARKET_VALUE = "market_value"
    CONTRACT_VALUE = "contract_value"


class CrossFormulaShort(StrEnum):
    """What one formula's short position gives that the other one's securities cover."""

    CREDIT = "credit"  # at market value, in the formula of the securities
    NOTHING = "nothing"


class BreakCalendar(StrEnum):
    """The days that Items 7 and 8 count under the alternative method."""

    EXCHANGE = "exchange"
    BANK = "bank"


def _switch(default: StrEnum | bool | int, source: str, reason: str) -> Any:
    return field(default=default, metadata={"source": source, "reason": reason})


@dataclass(frozen=True)
class Policy:
    """One declared reading of the rule."""

    concentration_cut: ConcentrationCut = _switch(
        ConcentrationCut.EXCESS,
        "Note E(1)",
        "The text cuts by the amount by which the security exceeds 15 %, which is a value of securities; "
        "that is the larger cut. It never exceeds the debits that the security secures.",
    )
    cut_overlap: CutOverlap = _switch(
        CutOverlap.BOTH,
        "Notes E(1) and E(5)",
        "Each note says what debits are reduced by, and neither looks at the other; that is the larger cut.",
    )
    partly_secured: PartlySecured = _switch(
        PartlySecured.SECURED_PART,
        "Item 10",
        "Unsecured accounts are left out; of an account with too few securities, the deficit is what is "
        "unsecured.",
    )
    firm_short_credit: FirmShortCredit = _switch(
        FirmShortCredit.MARKET_VALUE,
        "Item 5",
        "What it would take to bring the securities back today; the proceeds of the sale may be years old.",
    )
    cross_formula_short: CrossFormulaShort = _switch(
        CrossFormulaShort.CREDIT,
        "Items 5 and 11; PAB Note 2",
        "The money of the short sale protects the owners of one formula and the securities come from the "
        "other, so the other takes a credit; no debit is taken for it.",
    )
    is_household_of_noncustomer_excluded: bool = _switch(
        True,
        "Note E(4)",
        "Who shares a household with a non-customer or the firm (its principals are not customers) or with "
        "an affiliate is taken as related to it; the file cannot show that a debit is tied to a credit.",
    )
    diversified_collateral_percent: int = _switch(
        140,
        "Note E(1)",
        "Debits given as a total without securities are diversified: none of theirs exceeds 15 %. They stand "
        "in the aggregate with the most that the note lets a debit have.",
    )
    break_calendar: BreakCalendar = _switch(
        BreakCalendar.EXCHANGE,
        "Items 7 and 8",
        "The rule does not say whose business days; breaks are worked when the market is open, and its days "
        "are more than the banks', so that breaks age sooner.",
    )

    @property
    def changed(self) -> dict[str, str]:
        """Switches that are not at their default."""
        return {
            f.name: str(getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default
        }

    @property
    def version(self) -> str:
        """Short digest of the switches: two equal ones read the rule alike."""
        told = ";".join(f"{f.name}={getattr(self, f.name)}" for f in fields(self))
        return hashlib.sha256(told.encode()).hexdigest()[:12]


DEFAULT = Policy()
