"""Evidence bundles: same journal same bytes, any changed byte found, clocks proved by the timeline."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.clock import FakeClock
from engine.config import Home
from orchestration.lake.tables import DAY_NS, lake_rows
from orchestration.products.incidents.assets import bundle_folder, make_bundles
from orchestration.products.incidents.clocks import clock_statuses
from orchestration.products.incidents.verify import verify_bundle
from orchestration.products.papers import sha256_of
from orchestration.signing import sign
from schemas.codes import AwareSource, Conclusion, DocumentType, IncidentClock, NoticeChannel
from schemas.external import EvidenceBundle
from schemas.incidents import (
    AffectedIdentified,
    ClockStarted,
    DeterminationApproved,
    DocumentRecorded,
    IncidentContained,
    IncidentOpened,
    NoticeSent,
)
from schemas.market import BusinessDayStarted
from tests.support.lake_home import NOW_NS, make_home

DAY = NOW_NS // DAY_NS
MEMO = b"The share was closed at 05:45.\n"
LETTER = b"Dear Ada Quillfeather, your statement was read by a stranger.\n"


def _header(sequence: int, at_ns: int = NOW_NS) -> dict[str, int]:
    return {"sequence": sequence, "cause_sequence": sequence, "occurred_at_ns": at_ns}


def _document(sequence: int, document_id: int, kind: DocumentType, content: bytes) -> DocumentRecorded:
    raw = bytes.fromhex(sha256_of(content))
    words = [int.from_bytes(raw[i : i + 8], "big", signed=True) for i in range(0, 32, 8)]
    return DocumentRecorded(
        **_header(sequence),
        document_id=document_id,
        document_type_code=kind,
        operator_id=101,
        digest_a_word=words[0],
        digest_b_word=words[1],
        digest_c_word=words[2],
        digest_d_word=words[3],
    )


def _incident(noticed: tuple[int, ...] = (11, 12)) -> list[object]:
    started = _header(1)
    rows: list[object] = [
        BusinessDayStarted(
            **started,
            business_epoch_day=DAY,
            next_epoch_day=DAY + 1,
            second_epoch_day=DAY + 2,
            expired_order_count=0,
        ),
        _document(2, 501, DocumentType.CONTAINMENT, MEMO),
        _document(3, 502, DocumentType.NOTICE, LETTER),
        IncidentOpened(
            **_header(4),
            incident_id=1,
            aware_source_code=AwareSource.PROVIDER,
            detected_at_ns=NOW_NS - 10,
            aware_at_ns=NOW_NS,
            provider_id=7,
            provider_aware_at_ns=NOW_NS - DAY_NS,
            is_sensitive=1,
            operator_id=101,
        ),
        ClockStarted(
            **_header(5),
            incident_id=1,
            incident_clock_code=IncidentClock.NOTICE_TO_INDIVIDUALS,
            started_at_ns=NOW_NS,
            due_at_ns=NOW_NS + 30 * DAY_NS,
        ),
        ClockStarted(
            **_header(6),
            incident_id=1,
            incident_clock_code=IncidentClock.NOTICE_FROM_PROVIDER,
            started_at_ns=NOW_NS - DAY_NS,
            due_at_ns=NOW_NS + 2 * DAY_NS,
        ),
        AffectedIdentified(**_header(7), incident_id=1, client_id=11, operator_id=101),
        AffectedIdentified(**_header(8), incident_id=1, client_id=12, operator_id=101),
        IncidentContained(**_header(9), incident_id=1, document_id=501, operator_id=101),
        DeterminationApproved(
            **_header(10),
            incident_id=1,
            conclusion_code=Conclusion.NOTIFY,
            proposer_operator_id=102,
            approver_operator_id=103,
        ),
    ]
    for n, client_id in enumerate(noticed):
        rows.append(
            NoticeSent(
                **_header(11 + n),
                incident_id=1,
                client_id=client_id,
                notice_channel_code=NoticeChannel.MAIL,
                document_id=502,
                operator_id=101,
            )
        )
    return rows


@pytest.fixture
def home(tmp_path: Path) -> Home:
    rows = _incident()
    made = make_home(tmp_path, rows[:6], rows[6:])
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "501.txt").write_bytes(MEMO)
    (documents / "502.txt").write_bytes(LETTER)
    make_bundles(made, FakeClock(NOW_NS))
    return made


def test_a_bundle_verifies_offline_and_is_registered(home: Home) -> None:
    folder = bundle_folder(home, 1)
    elsewhere = home.root.parent / f"{home.root.name}-copy"
    shutil.copytree(folder, elsewhere)
    assert verify_bundle(elsewhere) == []
    assert verify_bundle(elsewhere, expected_fingerprint=sign(home, b"").fingerprint) == []
    assert verify_bundle(elsewhere, expected_fingerprint="0" * 64) != []
    (row,) = lake_rows(home, EvidenceBundle)
    assert row.manifest_sha256 == sha256_of((folder / "manifest.json").read_bytes())
    assert row.document_count == len([p for p in folder.rglob("*") if p.is_file()])


def test_what_a_bundle_holds(home: Home) -> None:
    folder = bundle_folder(home, 1)
    clocks = {c["clock"]: c["status"] for c in json.loads((folder / "clocks.json").read_bytes())["clocks"]}
    assert clocks == {"NOTICE_TO_INDIVIDUALS": "MET", "NOTICE_FROM_PROVIDER": "MET"}
    proof = json.loads((folder / "journal_proof.json").read_bytes())
    assert [(p["frame_index"], p["sequences"]) for p in proof] == [
        (1, [2, 3, 4, 5, 6]),
        (2, [7, 8, 9, 10, 11, 12]),
    ]
    assert (folder / "documents" / sha256_of(MEMO)).read_bytes() == MEMO
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"Quillfeather" not in path.read_bytes()


def test_the_same_journal_gives_the_same_bytes(home: Home) -> None:
    folder = bundle_folder(home, 1)
    before = {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    shutil.rmtree(folder)
    make_bundles(home, FakeClock(NOW_NS + 99))
    assert {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert len(lake_rows(home, EvidenceBundle)) == 1


def test_a_flipped_bit_in_any_file_is_found(home: Home) -> None:
    folder = bundle_folder(home, 1)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert len(files) == 10
    for path in files:
        whole = path.read_bytes()
        for position in {0, len(whole) // 2, len(whole) - 1}:
            for bit in (0x01, 0x20):
                broken = bytearray(whole)
                broken[position] ^= bit
                path.write_bytes(bytes(broken))
                assert verify_bundle(folder), f"{path.name} at {position}"
        path.write_bytes(whole)
    assert verify_bundle(folder) == []


def test_a_missing_and_an_added_file_are_found(home: Home) -> None:
    folder = bundle_folder(home, 1)
    (folder / "more.txt").write_text("x")
    assert verify_bundle(folder) == ["more.txt: not in the manifest"]
    (folder / "more.txt").unlink()
    (folder / "notices.json").unlink()
    assert verify_bundle(folder) == ["notices.json: missing"]


def test_clocks_that_do_not_follow_from_the_timeline_are_found_though_signed(home: Home) -> None:
    from orchestration.products.incidents import assets

    folder = bundle_folder(home, 1)
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    files = {n: (folder / n).read_bytes() for n in names if not n.startswith("manifest")}
    files["clocks.json"] = files["clocks.json"].replace(b"MET", b"LATE")
    assets.write_bundle(home, FakeClock(NOW_NS), 1, files)
    assert verify_bundle(folder) == ["clocks.json does not follow from the timeline"]
    assert len(list((home.evidence / "former").iterdir())) == 1


@pytest.mark.parametrize(
    ("noticed", "as_of_ns", "status"),
    [
        ((11, 12), NOW_NS + DAY_NS, "MET"),
        ((11,), NOW_NS + DAY_NS, "RUNNING"),
        ((11,), NOW_NS + 31 * DAY_NS, "OVERDUE"),
    ],
)
def test_the_notice_clock(noticed: tuple[int, ...], as_of_ns: int, status: str) -> None:
    from orchestration.products.incidents.bundle import timeline_of

    timeline = timeline_of(_incident(noticed))  # type: ignore[arg-type]
    assert clock_statuses(timeline, as_of_ns)[0]["status"] == status


def test_a_delay_by_the_attorney_general_moves_the_deadline() -> None:
    from orchestration.products.incidents.bundle import timeline_of

    delay = ClockStarted(
        **_header(50),
        incident_id=1,
        incident_clock_code=IncidentClock.ATTORNEY_GENERAL_DELAY,
        started_at_ns=NOW_NS + 30 * DAY_NS,
        due_at_ns=NOW_NS + 60 * DAY_NS,
    )
    timeline = timeline_of([*_incident(noticed=()), delay])  # type: ignore[list-item]
    notice = clock_statuses(timeline, NOW_NS + 31 * DAY_NS)[0]
    assert (notice["due_at_ns"], notice["status"]) == (NOW_NS + 60 * DAY_NS, "RUNNING")
