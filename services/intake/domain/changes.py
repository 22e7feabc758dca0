"""What may happen to a request: one class per entry of its history, past tense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.payload import Priority, RequestKind


@dataclass(frozen=True, slots=True)
class Submitted:
    TYPE: ClassVar[str] = "submitted"

    kind: RequestKind
    process_version: int
    stage: str
    priority: Priority = Priority.NORMAL
    product_line: str | None = None


@dataclass(frozen=True, slots=True)
class StageEntered:
    TYPE: ClassVar[str] = "stage_entered"

    from_stage: str
    stage: str
    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Responded:
    TYPE: ClassVar[str] = "responded"

    handler: str | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    TYPE: ClassVar[str] = "paused"

    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    TYPE: ClassVar[str] = "resumed"

    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    TYPE: ClassVar[str] = "closed"

    outcome: str
    handler: str | None = None


Change = Submitted | StageEntered | Responded | Paused | Resumed | Closed

_BY_TYPE: dict[str, type[Change]] = {
    change.TYPE: change for change in (Submitted, StageEntered, Responded, Paused, Resumed, Closed)
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history.

    Attributes:
        sequence: 1, 2, 3, ... per request.
        occurred_at: when it became true, business time.
        recorded_at: when it was written down, business time.
        by: the caller whose key was used.
    """

    sequence: int
    change: Change
    occurred_at: datetime
    recorded_at: datetime
    by: str


def change_data(change: Change) -> dict[str, Any]:
    """The change as JSON types, without what was not given."""
    return {name: value for name, value in asdict(change).items() if value is not None}


def read_change(change_type: str, data: Mapping[str, Any]) -> Change:
    """The inverse of ``change_data``."""
    if change_type == Submitted.TYPE:
        words = {"kind": RequestKind(data["kind"]), "priority": Priority(data["priority"])}
        return Submitted(**{**data, **words})
    return _BY_TYPE[change_type](**data)
