"""What every reader yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the log has it.

    Attributes:
        line: where it begins in the file, from 1.
        values: column -> text. In XES the attributes of the trace carry the prefix ``case:``.
    """

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that could not be read.

    Attributes:
        reason: one sentence; repeats no value of the log, which might be personal.
    """

    line: int
    reason: str


Entry = Row | Malformed
