"""The filing record: what may not be filed, what contradicts itself, and every byte of its signed folder."""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from engine.canonical import canonical_json, sha256_of
from engine.config import Home
from engine.errors import BadInput, PlatformError
from engine.reserve.deadline import Opening
from engine.reserve.filing import (
    FiledLine,
    Filing,
    Record,
    Restated,
    RuleApplied,
    SourceRow,
    contradictions,
    filing_record,
    source_rows,
)
from engine.reserve.focus import ITEMS, RESULT
from engine.reserve.terms import Formula, Frequency, Indeterminate, Method
from orchestration.cli import app
from orchestration.products.reserve.bundle import AlreadyFiled, bundle_files, verify_bundle, write_bundle
from orchestration.signing import sign

DAY = date(2026, 10, 2)
MILLION = 1_000_000_00
ALTERNATIVE_DAILY = RuleApplied("rules", Method.ALTERNATIVE, Frequency.DAILY, 200, "15c3-1(a)(1)(ii)(A)")
CLAIMS = b"issue,claim,quantity\nS,customer_margin,100\n"


def filing(
    amounts: dict[int, int],
    reduction: int,
    requirement: int,
    rule: RuleApplied = ALTERNATIVE_DAILY,
    **more: Any,
) -> Filing:
    """A filing of these items; each is split over two source rows."""
    lines = [
        FiledLine(
            i.number, i.side, i.name, i.box, amounts.get(i.number, 0) if i.side != RESULT else requirement
        )
        for i in ITEMS
    ]
    sources = [
        SourceRow(item, f"claims.csv:{2 + part}", amount)
        for item, total in amounts.items()
        for part, amount in enumerate((total // 3, total - total // 3))
    ]
    given = Filing(
        formula=Formula.CUSTOMER,
        as_of=DAY,
        version=1,
        currency="USD",
        rule=rule,
        lines=lines,
        sources=sources,
        credits_minor=sum(a for n, a in amounts.items() if n < 10),
        debits_minor=sum(a for n, a in amounts.items() if n >= 10),
        reduction_minor=reduction,
        requirement_minor=requirement,
        held_minor=0,
        preparer=901,
        reviewer=902,
        input_digests={"claims.csv": sha256_of(CLAIMS)},
    )
    return given._replace(**more)


# Credits 12,000,000; debits 9,000,000.
LINES = {1: 10 * MILLION, 2: 2 * MILLION, 10: 8 * MILLION, 11: 1 * MILLION}
LOW = {**LINES, 1: 1 * MILLION}


def rule(method: Method, frequency: Frequency, rate_bps: int) -> RuleApplied:
    return RuleApplied("rules", method, frequency, rate_bps, "source")


@pytest.mark.parametrize(
    ("amounts", "applied", "formula", "reduction", "requirement", "excess"),
    [
        # customer, alternative, weekly: 3 % of all debits, 15c3-1(a)(1)(ii)(A)
        (LINES, rule(Method.ALTERNATIVE, Frequency.WEEKLY, 300), Formula.CUSTOMER, 270_000, 3_270_000, 0),
        (LINES, rule(Method.ALTERNATIVE, Frequency.DAILY, 200), Formula.CUSTOMER, 180_000, 3_180_000, 0),
        # basic: 1 % of Item 10, Note E(3)
        (LINES, rule(Method.BASIC, Frequency.WEEKLY, 100), Formula.CUSTOMER, 80_000, 3_080_000, 0),
        (LINES, rule(Method.BASIC, Frequency.DAILY, 100), Formula.CUSTOMER, 80_000, 3_080_000, 0),
        # basic, monthly: 105 %, (e)(3)(i)(C)
        (LINES, rule(Method.BASIC, Frequency.MONTHLY, 100), Formula.CUSTOMER, 80_000, 3_234_000, 0),
        # PAB: no reduction, no 105 %, Note 4
        (LINES, rule(Method.ALTERNATIVE, Frequency.WEEKLY, 0), Formula.PAB, 0, 3_000_000, 0),
        (LINES, rule(Method.BASIC, Frequency.MONTHLY, 0), Formula.PAB, 0, 3_000_000, 0),
        (LOW, rule(Method.ALTERNATIVE, Frequency.WEEKLY, 300), Formula.CUSTOMER, 270_000, 0, 5_730_000),
        (LOW, rule(Method.BASIC, Frequency.WEEKLY, 100), Formula.CUSTOMER, 80_000, 0, 5_920_000),
    ],
)
def test_published_cases_are_filed(
    amounts: dict[int, int],
    applied: RuleApplied,
    formula: Formula,
    reduction: int,
    requirement: int,
    excess: int,
) -> None:
    record = filing_record(filing(amounts, reduction * 100, requirement * 100, applied, formula=formula))
    assert contradictions(record, source_rows(filing(amounts, 0, 0).sources)) == []
    boxes = {box["box"]: box["value"] for box in record["focus"]}
    if formula is Formula.PAB:
        assert boxes == {}
        return
    assert boxes["4480"] == excess * 100
    assert boxes["4490"] == (
        max(requirement, 0) * 100 if applied.frequency is not Frequency.MONTHLY else 308_000_000
    )
    assert boxes["4430"] == boxes["4340"] + boxes["4350"]
    assert boxes["4470"] == boxes["4440"] + boxes["4450"]
    assert boxes["4472"] == boxes["4470"] - boxes["4471"] == 9 * MILLION - reduction * 100
    assert ("4500" in boxes) == (applied.frequency is Frequency.MONTHLY)
    assert sum(boxes.get(b) == "X" for b in ("4332", "4333", "4334")) == 1


GOOD = filing(LINES, 18_000_000, 318_000_000, held_minor=3 * MILLION, payment_id=7)


def test_what_a_record_says() -> None:
    record = filing_record(GOOD)
    assert record["deposit"]["order_minor"] == 18_000_000
    assert record["deposit"]["due_at"] == "2026-10-06T10:00:00-04:00"
    assert record["filing_reference"] == "2026-10-02-1"
    assert [line["source_count"] for line in record["lines"]] == [2, 2, *[0] * 7, 2, 2, 0, 0, 0, 0, 15]
    pab = filing(LINES, 0, 300_000_000, formula=Formula.PAB, covered_minor=MILLION)
    told = filing_record(pab._replace(opening=Opening(time(8), ZoneInfo("America/Chicago"))))
    assert (told["filing_reference"], told["deposit"]["order_minor"]) == ("2026-10-02-pab-1", 2 * MILLION)
    assert told["deposit"]["due_at"] == "2026-10-06T09:00:00-05:00"


def test_a_test_run_says_so_and_orders_nothing_faq_2() -> None:
    record = filing_record(GOOD._replace(test_purpose="dry run of the daily process"))
    assert (record["deposit"]["order_minor"], record["totals"]["requirement_minor"]) == (0, 318_000_000)
    page = bundle_files(record, GOOD.sources)["statement.html"].decode()
    assert "Test run: dry run of the daily process." in page
    assert contradictions({**record, "test_purpose": ""}, source_rows(GOOD.sources))


def test_a_later_version_names_the_one_it_restates() -> None:
    again = filing_record(GOOD._replace(version=2, restates=Restated("2026-10-02-1", "ab")))
    assert again["restates"] == {"filing_reference": "2026-10-02-1", "statement_sha256": "ab"}
    for version, restates in ((2, None), (1, Restated("2026-10-02-0", ""))):
        with pytest.raises(BadInput, match="must name"):
            filing_record(GOOD._replace(version=version, restates=restates))
    with pytest.raises(Indeterminate, match="restates"):
        filing_record(GOOD._replace(version=3, restates=Restated("2026-10-02-1", "ab")))


@pytest.mark.parametrize(
    ("changed", "refusal", "words"),
    [
        ({"reviewer": 901}, BadInput, "of their own"),
        ({"input_digests": {}}, Indeterminate, "digest of its inputs"),
        ({"lines": GOOD.lines[1:]}, Indeterminate, "items 1 to 16"),
        ({"credits_minor": 1}, Indeterminate, "credits_minor is 1"),
        ({"debits_minor": 1}, Indeterminate, "debits_minor is 1"),
        ({"reduction_minor": 27_000_000, "requirement_minor": 327_000_000}, Indeterminate, "reduction_minor"),
        ({"requirement_minor": 1}, Indeterminate, "requirement_minor is 1"),
        ({"sources": GOOD.sources[1:]}, Indeterminate, "item 1 is 1000000000, its source rows"),
        ({"sources": [*GOOD.sources, SourceRow(3, "claims.csv:9", 5)]}, Indeterminate, "item 3 is 0"),
        ({"sources": [*GOOD.sources, SourceRow(16, "claims.csv:9", 0)]}, Indeterminate, "name item 16"),
        ({"covered_minor": 5}, Indeterminate, "cover a PAB deposit only"),
    ],
)
def test_what_does_not_add_up_is_not_filed(
    changed: dict[str, Any], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        filing_record(GOOD._replace(**changed))


def _change(path: str, value: Any) -> Callable[[Record], None]:
    def plant(record: Record) -> None:
        *above, last = path.split(".")
        place: Any = record
        for name in above:
            place = place[int(name) if name.isdigit() else name]
        place[int(last) if last.isdigit() else last] = value

    return plant


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("totals.credits_minor", 5, "credits_minor"),
        ("lines.15.amount_minor", 5, "item 16"),
        ("lines.0.source_count", 3, "3"),
        ("deposit.order_minor", 0, "order_minor"),
        ("deposit.excess_minor", 1, "excess_minor"),
        ("deposit.due_at", "2026-10-07T10:00:00-04:00", "due at"),
        ("deposit.due_at_ns", 0, "due at"),
        ("deposit.bank_opens_at", "10:00", "due at"),
        ("focus.0.value", "Y", "FOCUS"),
        ("people.approver_operator_id", 901, "one person"),
        ("inputs.files", {"claims.csv": "00"}, "digest of the inputs"),
        ("version", 2, "name of version 2"),
        ("as_of_date", "2026-10-05", "name of version"),
        ("rule.rate_bps", 300, "bps"),
        ("lines", [], "items 1 to 16"),
    ],
)
def test_a_record_that_contradicts_itself_is_found(path: str, value: Any, words: str) -> None:
    record = copy.deepcopy(filing_record(GOOD))
    _change(path, value)(record)
    assert any(words in problem for problem in contradictions(record, source_rows(GOOD.sources)))


def test_a_record_made_under_former_calendar_rules_stays_sound() -> None:
    record = copy.deepcopy(filing_record(GOOD))
    record["deposit"].update(calendar="Federal Reserve Banks, rules 2020-1", due_at="x", due_at_ns=0)
    assert contradictions(record, source_rows(GOOD.sources)) == []


@given(
    amounts=st.dictionaries(st.integers(1, 15), st.integers(1, 10**15), max_size=15),
    held=st.integers(0, 10**15),
    is_daily=st.booleans(),
)
def test_any_amount_that_moves_is_found(amounts: dict[int, int], held: int, is_daily: bool) -> None:
    applied = rule(Method.ALTERNATIVE, *((Frequency.DAILY, 200) if is_daily else (Frequency.WEEKLY, 300)))
    credit = sum(a for n, a in amounts.items() if n < 10)
    debit = sum(a for n, a in amounts.items() if n >= 10)
    reduction = -(-debit * applied.rate_bps // 10_000)
    requirement = max(credit - debit + reduction, 0)
    made = filing(amounts, reduction, requirement, applied, held_minor=held)
    record = json.loads(canonical_json(filing_record(made)))
    rows = source_rows(made.sources)
    assert contradictions(record, rows) == []
    for line in record["lines"]:
        line["amount_minor"] += 1
        assert contradictions(record, rows)
        line["amount_minor"] -= 1
    for name in record["totals"]:
        record["totals"][name] += 1
        assert contradictions(record, rows)
        record["totals"][name] -= 1


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def bundle(home: Home) -> Path:
    folder = home.reserve / "2026-10-02" / "reserve-2026-10-02-1"
    write_bundle(home, folder, bundle_files(filing_record(GOOD), GOOD.sources, {"claims.csv": CLAIMS}))
    return folder


def test_a_bundle_verifies_from_its_folder_alone(home: Home, bundle: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(bundle, alone)
    own = sign(home, b"").fingerprint
    assert verify_bundle(alone) == verify_bundle(alone, expected_fingerprint=own) == []
    assert verify_bundle(alone, expected_fingerprint="00") == [f"signed by key {own}, not by 00"]
    page = (alone / "statement.html").read_text()
    assert "3,180,000.00" in page and "claims.csv:2" in page and "4470" in page


def test_every_flipped_byte_is_found(bundle: Path) -> None:
    """One bit of each byte of each file; every bit of those that carry the signature."""
    found = 0
    for path in sorted(p for p in bundle.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        bits = range(8) if path.name in ("manifest.json", "manifest.sig", "public_key.pem") else [None]
        handle = os.open(path, os.O_RDWR)
        try:
            for position, byte in enumerate(whole):
                for bit in bits:
                    flipped = byte ^ (1 << (position % 8 if bit is None else bit))
                    os.pwrite(handle, bytes([flipped]), position)
                    assert verify_bundle(bundle), f"{path.name}: byte {position}"
                    found += 1
                os.pwrite(handle, bytes([byte]), position)
        finally:
            os.close(handle)
    assert found > sum(p.stat().st_size for p in bundle.rglob("*") if p.is_file())
    assert verify_bundle(bundle) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: (b / "sources.json").unlink(),
        lambda b: (b / "inputs" / "claims.csv").unlink(),
        lambda b: (b / "inputs" / "more.csv").write_bytes(b"x"),
        lambda b: (b / "sources.json").write_bytes((b / "sources.json").read_bytes()[:-1]),
        lambda b: (b / "sources.json").write_bytes((b / "sources.json").read_bytes() + b"\n"),
        lambda b: (b / "manifest.sig").unlink(),
        lambda b: (b / "sources.json").symlink_to((b / "sources.json").rename(b.parent / "elsewhere")),
    ],
)
def test_a_file_missing_added_cut_or_grown_is_found(bundle: Path, damage: Callable[[Path], Any]) -> None:
    damage(bundle)
    assert verify_bundle(bundle)


def test_a_signed_contradiction_is_found(home: Home, tmp_path: Path) -> None:
    """Whoever holds the key can sign; the figures still have to follow from each other."""
    files = bundle_files(filing_record(GOOD), GOOD.sources)
    record = json.loads(files["statement.json"])
    for name, plant in {
        "figure": lambda: record["totals"].update(requirement_minor=5),
        "form": lambda: record.pop("totals"),
        "shape": lambda: files.update({"sources.json": b'["row"]'}),
        "day": lambda: record.update(as_of_date="yesterday"),
        "source": lambda: files.update({"sources.json": b"[]"}),
        "absent": lambda: files.pop("statement.html"),
        "input": lambda: files.update({"inputs/claims.csv": CLAIMS + b"S,firm,1\n"}),
    }.items():
        before, kept = copy.deepcopy(record), dict(files)
        plant()
        folder = tmp_path / name
        write_bundle(home, folder, {**files, "statement.json": canonical_json(record)})
        assert verify_bundle(folder), name
        record.clear()
        record.update(before)
        files.clear()
        files.update(kept)


def test_a_filing_is_never_written_over(home: Home, bundle: Path) -> None:
    files = bundle_files(filing_record(GOOD), GOOD.sources, {"claims.csv": CLAIMS})
    before = {p: p.stat().st_mtime_ns for p in bundle.rglob("*")}
    write_bundle(home, bundle, files)
    assert {p: p.stat().st_mtime_ns for p in bundle.rglob("*")} == before
    with pytest.raises(AlreadyFiled):
        write_bundle(home, bundle, {**files, "sources.json": b"[]"})


def test_a_copy_that_is_not_the_input_is_not_filed() -> None:
    with pytest.raises(PlatformError, match=r"claims\.csv is not the input"):
        bundle_files(filing_record(GOOD), GOOD.sources, {"claims.csv": CLAIMS + b" "})
    with pytest.raises(PlatformError, match=r"other\.csv is not the input"):
        bundle_files(filing_record(GOOD), GOOD.sources, {"other.csv": b""})


def test_the_command_tells_sound_from_changed(home: Home, bundle: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        told = CliRunner().invoke(app, ["verify", "reserve", *words])
        return told.exit_code, told.output

    assert run(str(bundle))[0] == 0
    assert run(str(bundle), "--fingerprint", sign(home, b"").fingerprint)[0] == 0
    assert run(str(bundle), "--fingerprint", "00")[0] == 1
    assert run(str(bundle / "statement.json"))[0] == 2
    page = bundle / "statement.html"
    page.write_bytes(page.read_bytes().replace(b"3,180,000.00", b"3,180,000.01"))
    code, told = run(str(bundle))
    assert code == 1 and "statement.html: its bytes changed since signing" in told
