"""An entry of a history, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, get_args
from uuid import UUID

from pydantic import TypeAdapter

from services.intake.domain.changes import (
    Absorbed,
    Acknowledged,
    Assigned,
    Attached,
    Cancelled,
    Changed,
    Closed,
    Complained,
    ControlRecorded,
    CustomerInformed,
    DocumentsReceived,
    Extended,
    FeedbackGiven,
    HeldBack,
    Merged,
    MessageReceived,
    Noted,
    Paused,
    ProcessChanged,
    Reopened,
    Responded,
    Resumed,
    Signalled,
    Split,
    StageEntered,
    StageLeft,
    Submitted,
)
from services.intake.domain.doubts import Doubted, FindingConfirmed, FindingDismissed
from services.intake.domain.kept import KEPT
from services.intake.domain.reminded import Reminded
from shared.values import value

Change = (
    Submitted
    | Acknowledged
    | Assigned
    | StageEntered
    | StageLeft
    | ControlRecorded
    | Responded
    | CustomerInformed
    | MessageReceived
    | Noted
    | Attached
    | Paused
    | DocumentsReceived
    | Resumed
    | Changed
    | Extended
    | Signalled
    | Closed
    | Reopened
    | Cancelled
    | Merged
    | Absorbed
    | Split
    | Complained
    | FeedbackGiven
    | HeldBack
    | ProcessChanged
    | Doubted
    | FindingConfirmed
    | FindingDismissed
    | Reminded
)

CHANGES: tuple[type[Change], ...] = get_args(Change)

_JSON_TYPES = frozenset({str, int, float, bool})

_MEMBERS = {change: tuple((m.name, m.default is KEPT) for m in fields(change)) for change in CHANGES}
"""With whether None says something there."""

_BY_TYPE: dict[str, type[Change]] = {change.TYPE: change for change in CHANGES}


@value
class Entry:
    """One line of the history.

    Attributes:
        sequence: 1, 2, 3, ... per request.
        occurred_at: when it became true, business time.
        recorded_at: when it was written down, business time.
        by: who wrote it: the name of a channel system or of a staff member.
        cause: what made it happen, where that is not the call itself: ``entry:7`` or ``rule:<name>``.
        hash: over the entry and the hash before it, 32 bytes; None in histories older than the chain.
    """

    sequence: int
    change: Change
    occurred_at: datetime
    recorded_at: datetime
    by: str
    cause: str | None = None
    hash: bytes | None = None


def change_data(change: Change) -> dict[str, Any]:
    """The change as JSON types, without what was not given."""
    found: dict[str, Any] = {}
    for name, says_none in _MEMBERS[type(change)]:
        given = getattr(change, name)
        if given is KEPT or (given is None and not says_none):
            continue
        if given is None or type(given) in _JSON_TYPES:
            found[name] = given
        elif given not in ((), {}):
            found[name] = _plain(given)
    return found


def read_change(change_type: str, data: Mapping[str, Any]) -> Change:
    """The inverse of ``change_data``."""
    return _reader(change_type).validate_python(data)


@cache
def _reader(change_type: str) -> TypeAdapter[Change]:
    return TypeAdapter(_BY_TYPE[change_type])


def _plain(given: Any) -> Any:
    if type(given) in _JSON_TYPES:
        return given
    if isinstance(given, Enum):
        return given.value
    if isinstance(given, UUID):
        return str(given)
    if isinstance(given, datetime):
        return given.isoformat(timespec="microseconds")
    if isinstance(given, tuple):
        return [_plain(one) for one in given]
    return {name: _plain(one) for name, one in given.items()} if isinstance(given, Mapping) else given
