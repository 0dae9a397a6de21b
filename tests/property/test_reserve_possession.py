"""What a case requires to be in possession or control, against the rule of one account, account by account.

Source: 17 CFR 240.15c3-3(a)(3) to (5), (d).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reserve.case_files import read_case
from engine.reserve.excess_margin import Position, margin_account_must_hold
from engine.reserve.possession import determinations
from tests.support.reserve_case import AS_OF, write

PRICES_MINOR = {"S": 1_000, "T": 333, "U": 1}
ACCOUNTS = ("A", "B", "C")

positions = st.dictionaries(
    st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(sorted(PRICES_MINOR)), st.booleans()),
    st.integers(1, 500),
    min_size=1,
    max_size=9,
)
debts = st.fixed_dictionaries({account: st.integers(0, 400_000) for account in ACCOUNTS})
boxes = st.fixed_dictionaries({issue: st.integers(0, 600) for issue in PRICES_MINOR})


@settings(max_examples=60, deadline=None)
@given(positions, debts, boxes)
def test_deficits_are_those_of_the_accounts_one_by_one(
    held: dict[tuple[str, str, bool], int], owed: dict[str, int], box: dict[str, int]
) -> None:
    required = Counter[str]()
    for account in ACCOUNTS:
        margin = [
            Position(issue, units, PRICES_MINOR[issue])
            for (who, issue, is_margin), units in held.items()
            if who == account and is_margin
        ]
        must = margin_account_must_hold(margin, owed[account])
        required.update(must.fully_paid)
        required.update(must.excess_margin)
    for (_, issue, is_margin), units in held.items():
        required[issue] += 0 if is_margin else units
    kinds = {True: "customer_margin", False: "customer_fully_paid"}
    with tempfile.TemporaryDirectory() as folder:
        write(
            Path(folder),
            accounts="\n".join(f"{a},customer_margin,,{owed[a] // 100}.{owed[a] % 100:02}" for a in ACCOUNTS),
            claims="\n".join(f"{i},{kinds[m]},{a},{units}" for (a, i, m), units in held.items()),
            locations="\n".join(f"{issue},box,,{units}" for issue, units in box.items()),
            prices="\n".join(f"{i},{p // 100}.{p % 100:02}" for i, p in PRICES_MINOR.items()),
        )
        found = determinations(read_case(Path(folder), AS_OF), AS_OF)
    deficits = {d.issue: (d.required_units, d.deficit_units) for d in found.deficits}
    assert deficits == {i: (n, n - box[i]) for i, n in required.items() if n > box[i]}
    assert found.unknown == {}
