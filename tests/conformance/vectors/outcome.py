"""What became of one vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Vector = Mapping[str, Any]


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    LEFT_OUT = "left out"
    NOT_COVERED = "not covered"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Attributes:
    note: both answers of a failure, or why the vector was not run.
    """

    vector_id: str
    verdict: Verdict
    note: str = ""


class NotCovered(Exception):
    """The engine cannot express this vector yet; the message says what is missing."""


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
