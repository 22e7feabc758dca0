"""The given vectors when their folder lies beside the checkout, the project's own ones always."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.vectors.__main__ import main
from tests.conformance.vectors.calendars import working_time
from tests.conformance.vectors.operations import due_days
from tests.conformance.vectors.outcome import Verdict
from tests.conformance.vectors.runner import run_file

HOUSE = Path(__file__).with_name("house.json")
GIVEN = sorted((Path(__file__).parents[4] / "shared" / "vectors").glob("*.json"))
NOT_COVERED = {"case-013", "case-015", "case-017", "case-029", "case-031", "case-033"}
"""They need clocks that are armed again by a customer's message, which no event of intake tells yet."""


@pytest.mark.parametrize("path", [HOUSE, *GIVEN], ids=lambda path: path.stem)
def test_every_scored_vector_passes(path: Path) -> None:
    outcomes = run_file(path)
    assert outcomes
    assert [o for o in outcomes if o.verdict is Verdict.FAILED] == []
    assert {o.vector_id for o in outcomes if o.verdict is Verdict.NOT_COVERED} <= NOT_COVERED


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


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"schema_version": 2}', encoding="utf-8")
    with pytest.raises(ValueError, match="not a vector file of schema version 1"):
        run_file(path)


def test_without_files_it_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
