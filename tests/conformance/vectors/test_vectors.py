"""The given vectors when their folder lies beside the checkout, the project's own ones always."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.worktime import WEEKDAYS
from tests.conformance.vectors.__main__ import main
from tests.conformance.vectors.calendars import working_time
from tests.conformance.vectors.cases import case
from tests.conformance.vectors.operations import due_days
from tests.conformance.vectors.outcome import Verdict
from tests.conformance.vectors.runner import run_file

HOUSE = Path(__file__).with_name("house.json")
GIVEN = sorted((Path(__file__).parents[4] / "shared" / "vectors").glob("*.json"))


_BEFORE, _AFTER = {"level": 1, "offset_seconds": -3600}, {"level": 2, "offset_seconds": 600}


@pytest.mark.parametrize("path", [HOUSE, *GIVEN], ids=lambda path: path.stem)
def test_every_scored_vector_passes(path: Path) -> None:
    outcomes = run_file(path)
    assert outcomes
    assert [o for o in outcomes if o.verdict not in (Verdict.PASSED, Verdict.LEFT_OUT)] == []


def _file(tmp_path: Path, **changes: Any) -> Path:
    document = json.loads(HOUSE.read_text(encoding="utf-8"))
    document["vectors"] = [{**document["vectors"][0], **changes}]
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_program_ends_with_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(HOUSE)]) == 0
    assert capsys.readouterr().out.endswith("12 passed, 0 failed\n")


def test_a_failure_is_printed_with_both_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(_file(tmp_path, expected_due="2026-06-20T03:00:00Z"))]) == 1
    printed = capsys.readouterr().out
    assert 'house-001  due: got "2026-06-20 02:00:00+00:00", expected "2026-06-20 03:00:00+00:00"' in printed
    assert printed.endswith("0 passed, 1 failed\n")


def test_an_equivalent_answer_is_taken_only_when_it_is_the_projects_decision(tmp_path: Path) -> None:
    (closing,) = run_file(_file(tmp_path, equivalent_due="2026-06-22T01:00:00Z"))
    (opening,) = run_file(_file(tmp_path, equivalent_due="2026-06-19T01:00:00Z"))
    assert (closing.verdict, opening.verdict) == (Verdict.PASSED, Verdict.FAILED)


def test_a_vector_on_a_calendar_without_open_time_fails_with_the_reason(tmp_path: Path) -> None:
    path = _file(tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["calendars"]["office"]["weekly"] = {}
    document["calendars"]["office"]["date_overrides"] = {}
    path.write_text(json.dumps(document), encoding="utf-8")
    (outcome,) = run_file(path)
    assert outcome.verdict is Verdict.FAILED
    assert "has no open time at all" in outcome.note


@pytest.mark.parametrize("tag", ["optional", "policy_choice"])
def test_what_reasonable_engines_may_differ_on_is_listed_and_not_scored(tmp_path: Path, tag: str) -> None:
    (outcome,) = run_file(_file(tmp_path, tags=[tag], convention="somebody else decides otherwise"))
    assert outcome.verdict is Verdict.LEFT_OUT
    assert outcome.note == f"{tag}: somebody else decides otherwise"


def test_an_operation_that_is_not_there_is_not_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(_file(tmp_path, op="due_lunar"))]) == 1
    assert "no due_lunar operation yet" in capsys.readouterr().out


def test_a_vector_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    document = json.loads(HOUSE.read_text(encoding="utf-8"))
    first, second = document["vectors"][:2]
    document["vectors"] = [{**first, "start": "tomorrow"}, {"id": "x", "op": "due", "calendar": "nobody's"}, second]
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert [outcome.verdict for outcome in run_file(path)] == [Verdict.FAILED, Verdict.FAILED, Verdict.PASSED]


@pytest.mark.parametrize("path", GIVEN, ids=lambda path: path.stem)
def test_the_given_vectors_in_working_days_agree_although_they_are_not_scored(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for vector in document["vectors"]:
        if vector["op"] == "due_days":
            calendars = {vector["calendar"]: working_time("given", document["calendars"][vector["calendar"]])}
            got, expected = due_days(vector, calendars)
            assert got == expected, vector["id"]


def _case(policy: dict[str, Any], told: list[tuple[str, str]], **expected: Any) -> Verdict:
    """What becomes of a case of the first of June on a calendar that is always open."""
    events = [
        {"at": f"2026-06-01T{at}:00Z", "type": kind.partition(" ")[0], "value": kind.partition(" ")[2]}
        for at, kind in told
    ]
    vector = {"policy": policy, "calendar": "always", "events": events, "evaluate_at": "2026-06-01T18:00:00Z"}
    weekly = {day: [["00:00", "24:00"]] for day in WEEKDAYS}
    always = {"always": working_time("always", {"timezone": "UTC", "weekly": weekly})}
    got, wanted = case({**vector, "expected": expected}, always)
    return Verdict.PASSED if got == wanted else Verdict.FAILED


@pytest.mark.parametrize(
    ("policy", "told", "expected"),
    [
        (
            {"resolution": 7200, "pause_states": {"resolution": ["waiting"]}, "escalations": [_BEFORE, _AFTER]},
            [("10:00", "created"), ("11:30", "state waiting")],
            {"resolution": "paused", "fired_levels": [[1, "2026-06-01T11:00:00Z"]], "next_level_at": None},
        ),
        (
            {"first_response": 3600, "next_response": 1800},
            [("10:00", "created"), ("10:05", "customer_message"), ("10:50", "agent_reply")],
            {"first_response": "met", "breaches": [], "next_response_due": None},
        ),
        (
            {"next_response": 1800},
            [
                ("10:00", "created"),
                ("10:05", "customer_message"),
                ("10:50", "agent_reply"),
                ("17:40", "customer_message"),
            ],
            {"breaches": [["next_response", "2026-06-01T10:35:00Z"]], "next_due": "2026-06-01T18:10:00Z"},
        ),
        (
            {"resolution": 86400, "ola_resolution": 3600},
            [("10:00", "created"), ("17:30", "ola_attached")],
            {"ola_resolution": "running", "ola_resolution_due": "2026-06-01T18:30:00Z", "resolution": "running"},
        ),
        (
            {"resolution": 7200},
            [("10:00", "created"), ("11:00", "resolved"), ("15:00", "reopened"), ("16:00", "closed")],
            {"resolution": "met", "resolution_elapsed_seconds": 3600, "breach_count": {"resolution": 0}},
        ),
    ],
    ids=["levels and a pause", "before the first response", "next responses", "a team's own clock", "reopened"],
)
def test_a_case_is_read_as_its_events_say(
    policy: dict[str, Any], told: list[tuple[str, str]], expected: dict[str, Any]
) -> None:
    assert _case(policy, told, **expected) is Verdict.PASSED
    assert _case(policy, told, **dict.fromkeys(expected, "nonsense")) is Verdict.FAILED


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"schema_version": 2}', encoding="utf-8")
    with pytest.raises(ValueError, match="not a vector file of schema version 1"):
        run_file(path)


def test_without_files_it_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
