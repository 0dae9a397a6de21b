"""A new record is one class and nothing else; a bad declaration is refused at import."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.derive import arrow, dbt, expectations, layout, markdown, strategies
from schemas.headers import Event
from schemas.kinds import AccountId, Amount, Minor, Nanos, Packed, Sequence, SideCode, Text
from schemas.packed import pack, unpack
from schemas.record import (
    DeclarationError,
    Kind,
    RecordType,
    Registry,
    Role,
    field,
    in_lake,
    journaled,
    record,
)


def declare() -> RecordType:
    """Declare a record in a registry of its own."""
    registry: Registry = {}

    @record(table="rebates", key="sequence", role=Role.EVENT, type_code=999, registry=registry)
    class RebatePaid(Event):
        """A venue paid a rebate."""

        account_id: AccountId = field("Who got it.")
        side_code: SideCode = field("On which side.")
        rebate_minor: Minor = field("How much.", cite="Fee schedule 3.2")
        venue_packed: Packed = field("Which venue.")

    assert RebatePaid.__name__ == "RebatePaid"
    assert list(registry) == ["rebates"]
    return registry["rebates"]


def test_one_class_gives_every_target() -> None:
    made = declare()
    names = [
        "sequence",
        "cause_sequence",
        "occurred_at_ns",
        "account_id",
        "side_code",
        "rebate_minor",
        "venue_packed",
    ]
    assert journaled({"rebates": made}) == in_lake({"rebates": made}) == (made,)
    assert list(layout.numpy_dtype(made).names or ()) == names
    assert layout.numpy_dtype(made).itemsize == 8 * len(names)
    assert arrow.arrow_schema(made).names == names
    assert arrow.arrow_schema(made).field("rebate_minor").metadata[b"unit"] == b"_minor"
    assert [c["name"] for c in dbt.source_table(made)["columns"]] == names
    contract = {c["name"]: c["data_type"] for c in dbt.staging_contract(made)["columns"]}
    assert contract["occurred_at"] == "timestamp_ns" and contract["side"] == "varchar"
    assert contract["venue"] == "varchar" and contract["rebate_minor"] == "bigint"
    assert "as side," in dbt.staging_sql(made) and "watermark()" in dbt.staging_sql(made)
    wanted = list(expectations.expectations(made))
    assert ("ExpectColumnValuesToBeUnique", {"column": "sequence"}) in wanted
    assert ("ExpectColumnValuesToBeInSet", {"column": "side_code", "value_set": [1, 2]}) in wanted
    assert (
        "ExpectColumnValuesToBeBetween",
        {"column": "rebate_minor", "min_value": 0, "max_value": None},
    ) in wanted
    page = markdown.domain_page("fees", "Fees.", [made])
    assert "## RebatePaid" in page and "Source: Fee schedule 3.2." in page
    assert "**RebatePaid** (`rebates`)" in markdown.glossary([made])


@settings(max_examples=25)
@given(st.data())
def test_generated_rows_survive_every_layer(data: st.DataObject) -> None:
    made = declare()
    rows = data.draw(st.lists(strategies.records(made), min_size=1, max_size=5))
    values = [tuple(getattr(r, c.name) for c in made.columns) for r in rows]
    packed = np.array(values, dtype=layout.numpy_dtype(made))
    table = arrow.arrow_table(made, packed)
    assert table.equals(arrow.arrow_table_of(made, rows))
    assert table.to_pylist() == [{c.name: getattr(r, c.name) for c in made.columns} for r in rows]


def test_every_declared_record_has_a_strategy_and_an_arrow_table() -> None:
    @settings(max_examples=3)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        for made in in_lake():
            one = data.draw(strategies.records(made))
            assert arrow.arrow_table_of(made, [one]).num_rows == 1

    check()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"price": (Minor, "Price.")}, "must end with _minor"),
        ({"sequence": (Sequence, "First."), "note": (Text, "Note.")}, "not fixed-width"),
        ({"account_id": (AccountId, "Who.")}, "begins with its sequence"),
        ({"sequence": (int, "First.")}, "one Kind"),
        (
            {"sequence": (Sequence, "First."), "open": (Annotated[int, Kind("x", prefixes=("is_",))], "?")},
            "must start with",
        ),
    ],
)
def test_a_bad_declaration_is_refused(columns: dict[str, tuple[type, str]], words: str) -> None:
    body = {name: field(doc) for name, (_, doc) in columns.items()}
    hints = {name: kind for name, (kind, _) in columns.items()}
    cls = type("Bad", (), {"__doc__": "Bad.", "__annotations__": hints, "__module__": __name__, **body})
    with pytest.raises(DeclarationError, match=words):
        record(table="bad", key=next(iter(columns)), role=Role.EVENT, type_code=998, registry={})(cls)


def test_tables_and_type_codes_are_never_used_twice() -> None:
    made = declare()
    for table, code, words in (("rebates", 997, "declared twice"), ("other", 999, "is rebates's")):
        with pytest.raises(DeclarationError, match=words):

            @record(table=table, key="sequence", role=Role.EVENT, type_code=code, registry={"rebates": made})
            class Again(Event):
                """Again."""


def test_text_and_money_live_in_the_lake_only() -> None:
    registry: Registry = {}

    @record(table="letters", key="letter", role=Role.EXTERNAL, registry=registry)
    class Letter:
        """A letter."""

        letter: Text = field("Text.")
        amount: Amount = field("Money.", null=True)
        sent_at_ns: Nanos = field("When.")

    made = registry["letters"]
    assert arrow.arrow_schema(made).field("amount").type == pa.decimal128(23, 5)
    assert dbt.sql_type(made.columns[1]) == "decimal(23,5)"
    with pytest.raises(TypeError, match="not fixed-width"):
        layout.numpy_dtype(made)
    letter = Letter(letter="a", amount=Decimal("1.50000"), sent_at_ns=1)
    assert arrow.arrow_table_of(made, [letter])["amount"].to_pylist() == [Decimal("1.50000")]


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=12))
def test_packed_text_comes_back(text: str) -> None:
    assert unpack(pack(text)) == text
    assert 0 <= pack(text) < 1 << 63


@pytest.mark.parametrize("text", ["a", "AB CD", "ABCDEFGHIJKLM", "Ä"])
def test_what_cannot_be_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not up to 12"):
        pack(text)
