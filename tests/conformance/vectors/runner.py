"""Runs the vectors of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.errors import ConfigurationError
from shared.worktime import WorkingTime
from tests.conformance.vectors.calendars import working_time
from tests.conformance.vectors.cases import case
from tests.conformance.vectors.operations import OPERATIONS
from tests.conformance.vectors.outcome import NotCovered, Outcome, Vector, Verdict

_NOT_SCORED = ("optional", "policy_choice")
_SCHEMA_VERSION = 1


def run_file(path: Path) -> list[Outcome]:
    """Raises:
    ValueError: the file has another format.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema_version") != _SCHEMA_VERSION:
        raise ValueError(f"{path} is not a vector file of schema version {_SCHEMA_VERSION}")
    calendars: dict[str, WorkingTime] = {}
    refused: dict[str, str] = {}
    for name, spec in document.get("calendars", {}).items():
        try:
            calendars[name] = working_time(name, spec)
        except (ConfigurationError, ValueError) as error:
            refused[name] = str(error)
    return [_run(vector, calendars, refused) for vector in document["vectors"]]


def _run(vector: Vector, calendars: dict[str, WorkingTime], refused: dict[str, str]) -> Outcome:
    vector_id = str(vector["id"])
    tags = [tag for tag in vector.get("tags", ()) if tag in _NOT_SCORED]
    if tags:
        why = vector.get("convention") or f"{vector['op']} vectors are optional"
        return Outcome(vector_id, Verdict.LEFT_OUT, f"{', '.join(tags)}: {why}")
    for name in (vector.get("calendar"), *(part["calendar"] for part in vector.get("calendar_timeline", ()))):
        if name in refused:
            return Outcome(vector_id, Verdict.FAILED, refused[name])
    operation = case if vector["op"] == "case" else OPERATIONS.get(vector["op"])
    if operation is None:
        return Outcome(vector_id, Verdict.NOT_COVERED, f"no {vector['op']} operation yet")
    try:
        got, expected = operation(vector, calendars)
    except NotCovered as missing:
        return Outcome(vector_id, Verdict.NOT_COVERED, str(missing))
    except (ConfigurationError, LookupError, ValueError) as error:
        return Outcome(vector_id, Verdict.FAILED, f"{vector['op']} raised {type(error).__name__}: {error}")
    if got == expected:
        return Outcome(vector_id, Verdict.PASSED)
    return Outcome(vector_id, Verdict.FAILED, f"{vector['op']}: got {_show(got)}, expected {_show(expected)}")


def _show(answer: Any) -> str:
    return json.dumps(answer, default=str)
