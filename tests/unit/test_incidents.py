"""Incidents: the clocks by their vectors, the life of an incident a line a step, two people."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from engine.incidents.clocks import notice_due, provider_notice_due, retention_due
from schemas.codes import (
    AwareSource,
    Conclusion,
    DocumentType,
    IncidentClock,
    IncidentStatus,
    NoticeChannel,
    RejectReason,
)
from schemas.incidents import (
    ApproveDetermination,
    ClockStarted,
    CloseIncident,
    ContainIncident,
    DeterminationApproved,
    IdentifyAffected,
    IncidentOpened,
    OpenIncident,
    ProposeDetermination,
    RecordDocument,
    SendNotice,
)
from tests.support.slow_lane import NOW_NS, Firm, empty_firm

NONE = RejectReason.NONE
UNKNOWN = RejectReason.UNKNOWN_REFERENCE
WRONG = RejectReason.WRONG_STATE
EXISTS = RejectReason.ALREADY_EXISTS
BAD_CODE = RejectReason.UNKNOWN_CODE
BAD = RejectReason.BAD_DECLARATION
SAME = RejectReason.SAME_PERSON
UNSENT = RejectReason.UNSENT_NOTICE


def _ns(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def _end_of(day: str) -> int:
    return _ns(day + "T23:59:59") + 999_999_999


@pytest.mark.parametrize(
    ("aware", "last_day"),
    [
        ("2026-06-10T14:05:00", "2026-07-10"),  # from the vectors
        ("2026-06-10T00:00:00", "2026-07-10"),
        ("2026-06-10T23:59:59", "2026-07-10"),
        ("2026-06-11T00:00:00", "2026-07-11"),
        ("2024-01-30T12:00:00", "2024-02-29"),
        ("2026-12-05T12:00:00", "2027-01-04"),  # no roll over holidays or weekends
    ],
)
def test_notices_are_due_by_the_end_of_the_thirtieth_day(aware: str, last_day: str) -> None:
    assert notice_due(_ns(aware)) == _end_of(last_day)


def test_a_provider_has_72_hours_to_the_nanosecond() -> None:
    assert provider_notice_due(_ns("2026-06-08T22:00:00") + 1) == _ns("2026-06-11T22:00:00") + 1


@pytest.mark.parametrize(
    ("opened", "kept_until"),
    [
        ("2026-06-10T14:05:00", "2029-06-10"),
        ("2024-02-29T00:00:00", "2027-03-01"),
        ("2025-02-28T23:59:59", "2028-02-28"),
    ],
)
def test_the_record_is_kept_three_years(opened: str, kept_until: str) -> None:
    assert retention_due(_ns(opened)) == _end_of(kept_until)


@pytest.fixture
def firm() -> Firm:
    """Document 1 is on record; incident 1 is open."""
    made = empty_firm()
    _run(made, "record", 1)
    _run(made, "open", 1)
    return made


OPENING = {
    "aware_source_code": AwareSource.SELF,
    "detected_at_ns": _ns("2026-06-10T12:00:00"),
    "aware_at_ns": _ns("2026-06-10T14:05:00"),
    "provider_id": 0,
    "provider_aware_at_ns": 0,
    "is_sensitive": 1,
    "operator_id": 1,
}
DIGEST = {"digest_a_word": 1, "digest_b_word": -1, "digest_c_word": 0, "digest_d_word": 0}


def _run(firm: Firm, verb: str, *n: int) -> RejectReason:
    """One step of the table below."""
    if verb == "record":
        kind = n[1] if len(n) > 1 else DocumentType.INVESTIGATION
        return firm.do(RecordDocument, document_id=n[0], document_type_code=kind, operator_id=1, **DIGEST)
    if verb == "open":
        return firm.do(OpenIncident, incident_id=n[0], **OPENING)
    if verb == "identify":
        return firm.do(IdentifyAffected, incident_id=n[0], client_id=n[1], operator_id=1)
    if verb == "contain":
        return firm.do(ContainIncident, incident_id=n[0], document_id=n[1], operator_id=1)
    if verb == "propose":
        return firm.do(
            ProposeDetermination,
            incident_id=n[0],
            conclusion_code=n[1],
            document_id=n[2],
            operator_id=n[3],
        )
    if verb == "approve":
        return firm.do(ApproveDetermination, incident_id=n[0], operator_id=n[1])
    if verb == "notice":
        return firm.do(
            SendNotice,
            incident_id=n[0],
            client_id=n[1],
            notice_channel_code=n[2] if len(n) > 2 else NoticeChannel.MAIL,
            document_id=n[3] if len(n) > 3 else 0,
            operator_id=1,
        )
    return firm.do(CloseIncident, incident_id=n[0], operator_id=1)


NOTIFY, NO_NOTICE = Conclusion.NOTIFY, Conclusion.NO_NOTICE
LIVES = {
    "notified and closed": [
        ("identify 1 7", NONE),
        ("identify 1 8", NONE),
        ("contain 1 1", NONE),
        (f"propose 1 {NOTIFY} 0 1", NONE),
        ("notice 1 7", WRONG),
        ("approve 1 2", NONE),
        ("notice 1 7", NONE),
        ("close 1", UNSENT),
        ("notice 1 8", NONE),
        ("close 1", NONE),
    ],
    "no notice needs a document and a second person": [
        ("identify 1 7", NONE),
        ("contain 1 0", NONE),
        (f"propose 1 {NO_NOTICE} 0 1", UNKNOWN),
        (f"propose 1 {NO_NOTICE} 9 1", UNKNOWN),
        (f"propose 1 {NO_NOTICE} 1 1", NONE),
        ("close 1", UNSENT),
        ("approve 1 1", SAME),
        ("close 1", UNSENT),
        ("approve 1 2", NONE),
        ("notice 1 7", WRONG),
        ("close 1", NONE),
    ],
    "the presumption is notice": [
        ("contain 1 0", NONE),
        ("identify 1 7", NONE),
        ("close 1", UNSENT),
    ],
    "nobody named is nobody told": [
        ("contain 1 0", NONE),
        (f"propose 1 {NOTIFY} 0 1", NONE),
        ("approve 1 2", NONE),
        ("close 1", UNSENT),
        ("identify 1 7", NONE),
        ("close 1", UNSENT),
        ("notice 1 7", NONE),
        ("close 1", NONE),
    ],
    "without a determination it stays open": [("close 1", WRONG), ("contain 1 0", NONE), ("close 1", WRONG)],
    "without containment it stays open": [
        (f"propose 1 {NO_NOTICE} 1 1", NONE),
        ("approve 1 2", NONE),
        ("close 1", WRONG),
        ("contain 1 1", NONE),
        ("close 1", NONE),
    ],
    "who is found later undoes a no-notice": [
        ("contain 1 0", NONE),
        (f"propose 1 {NO_NOTICE} 1 1", NONE),
        ("approve 1 2", NONE),
        ("identify 1 7", NONE),
        ("close 1", UNSENT),
        ("approve 1 2", WRONG),
        (f"propose 1 {NOTIFY} 0 1", NONE),
        ("approve 1 2", NONE),
        ("notice 1 7", NONE),
        ("close 1", NONE),
    ],
    "a proposal that nobody approved can be replaced, by its approver too": [
        (f"propose 1 {NO_NOTICE} 1 1", NONE),
        (f"propose 1 {NOTIFY} 0 2", NONE),
        ("approve 1 2", SAME),
        ("approve 1 1", NONE),
        (f"propose 1 {NO_NOTICE} 1 1", WRONG),
        ("approve 1 2", WRONG),
    ],
    "documents look in order": [
        ("record 1 99", EXISTS),
        ("record 2 99", BAD_CODE),
        ("record 0 1", BAD),
        ("record 2 1", NONE),
    ],
    "identification looks in order": [
        ("identify 9 0", UNKNOWN),
        ("identify 1 0", BAD),
        ("identify 1 7", NONE),
        ("identify 1 7", EXISTS),
    ],
    "containment looks in order": [
        ("contain 9 9", UNKNOWN),
        ("contain 1 9", UNKNOWN),
        ("contain 1 1", NONE),
        ("contain 1 9", WRONG),
    ],
    "proposals look in order": [
        ("propose 9 99 9 1", UNKNOWN),
        ("propose 1 99 9 1", BAD_CODE),
        (f"propose 1 {NOTIFY} 9 1", UNKNOWN),
        (f"propose 1 {NOTIFY} 1 1", NONE),
    ],
    "notices look in order": [
        ("notice 9 9 9 9", UNKNOWN),
        ("notice 1 9 9 9", WRONG),
        ("identify 1 7", NONE),
        (f"propose 1 {NOTIFY} 0 1", NONE),
        ("approve 1 2", NONE),
        ("notice 1 9 9 9", UNKNOWN),
        ("notice 1 7 9 9", BAD_CODE),
        ("notice 1 7 1 9", UNKNOWN),
        ("notice 1 7 2 1", NONE),
        ("notice 1 7 9 9", EXISTS),
    ],
    "approval looks in order": [("approve 9 1", UNKNOWN), ("approve 1 1", WRONG)],
    "a closed incident takes nothing": [
        ("contain 1 0", NONE),
        (f"propose 1 {NO_NOTICE} 1 1", NONE),
        ("approve 1 2", NONE),
        ("close 1", NONE),
        ("open 1", EXISTS),
        ("identify 1 7", WRONG),
        ("contain 1 0", WRONG),
        (f"propose 1 {NOTIFY} 1 1", WRONG),
        ("approve 1 2", WRONG),
        ("notice 1 7", WRONG),
        ("close 1", WRONG),
        ("close 9", UNKNOWN),
    ],
}


@pytest.mark.parametrize("life", LIVES)
def test_the_life_of_an_incident(firm: Firm, life: str) -> None:
    for number, (step, expected) in enumerate(LIVES[life]):
        before = firm.state.incidents.canonical()
        verb, *arguments = step.split()
        reason = _run(firm, verb, *map(int, arguments))
        assert reason is expected, f"step {number}: {step}"
        assert (firm.state.incidents.canonical() == before) is (expected is not NONE), step


#  (columns that differ, expected)
OPENINGS = [
    ({"incident_id": 1, "aware_source_code": 9, "detected_at_ns": 0}, EXISTS),
    ({"incident_id": 2, "aware_source_code": 9, "detected_at_ns": 0}, BAD_CODE),
    ({"incident_id": 2, "detected_at_ns": 0}, BAD),
    ({"incident_id": 2, "aware_at_ns": -1}, RejectReason.OUT_OF_RANGE),
    ({"incident_id": 0}, BAD),
    ({"incident_id": 2}, NONE),
]


@pytest.mark.parametrize(("columns", "expected"), OPENINGS)
def test_openings_look_in_order(firm: Firm, columns: dict[str, int], expected: RejectReason) -> None:
    assert firm.do(OpenIncident, **(OPENING | columns)) is expected


def _clocks(firm: Firm, **columns: int) -> dict[IncidentClock, tuple[int, int]]:
    firm.must(OpenIncident, incident_id=2, **(OPENING | columns))
    return {
        IncidentClock(c.incident_clock_code): (c.started_at_ns, c.due_at_ns) for c in firm.of(ClockStarted)
    }


def test_our_own_incident_starts_two_clocks(firm: Firm) -> None:
    aware = _ns("2026-06-10T14:05:00")
    assert _clocks(firm) == {
        IncidentClock.NOTICE_TO_INDIVIDUALS: (aware, _end_of("2026-07-10")),
        IncidentClock.RETENTION: (NOW_NS, retention_due(NOW_NS)),
    }


def test_a_providers_incident_starts_its_clock_too(firm: Firm) -> None:
    knew = _ns("2026-06-08T22:00:00")
    clocks = _clocks(firm, provider_id=5, provider_aware_at_ns=knew)
    assert clocks[IncidentClock.NOTICE_FROM_PROVIDER] == (knew, _ns("2026-06-11T22:00:00"))
    assert len(clocks) == 3


def test_who_does_not_know_when_counts_from_the_detection(firm: Firm) -> None:
    detected = _ns("2026-06-09T12:00:00")
    clocks = _clocks(firm, detected_at_ns=detected, aware_at_ns=0, provider_id=5)
    assert clocks[IncidentClock.NOTICE_TO_INDIVIDUALS] == (detected, _end_of("2026-07-09"))
    assert clocks[IncidentClock.NOTICE_FROM_PROVIDER] == (detected, _ns("2026-06-12T12:00:00"))
    (opened,) = firm.of(IncidentOpened)
    assert (opened.aware_at_ns, opened.provider_aware_at_ns) == (detected, 0)


def test_an_empty_digest_proves_nothing(firm: Firm) -> None:
    empty = dict.fromkeys(DIGEST, 0)
    reason = firm.do(
        RecordDocument,
        document_id=2,
        document_type_code=DocumentType.NOTICE,
        operator_id=1,
        **empty,
    )
    assert reason is BAD


def test_a_determination_names_both_people(firm: Firm) -> None:
    _run(firm, "propose", 1, NO_NOTICE, 1, 4)
    _run(firm, "approve", 1, 5)
    (approved,) = firm.of(DeterminationApproved)
    assert (approved.proposer_operator_id, approved.approver_operator_id) == (4, 5)
    assert approved.conclusion_code == NO_NOTICE
    assert firm.state.incidents.incidents[1].status is IncidentStatus.NO_NOTICE


def test_incidents_survive_a_dump(firm: Firm) -> None:
    _run(firm, "identify", 1, 7)
    _run(firm, "identify", 1, 8)
    _run(firm, "propose", 1, NOTIFY, 1, 4)
    _run(firm, "approve", 1, 5)
    _run(firm, "notice", 1, 8)
    _run(firm, "open", 2)
    incidents = firm.state.incidents
    again = type(incidents).load(json.loads(json.dumps(incidents.dump())))
    assert again == incidents
    assert again.canonical() == incidents.canonical()
