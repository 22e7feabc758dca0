from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.quality_audit.domain.working import who_worked
from shared.contracts.casework import (
    RequestControlRecorded,
    RequestFeedbackGiven,
    RequestFindingConfirmed,
    RequestFindingDismissed,
    RequestNoted,
)
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import (
    RequestAssigned,
    RequestChanged,
    RequestClosed,
    RequestExtended,
    RequestReopened,
    RequestStageEntered,
    RequestStageLeft,
)

REQUEST = UUID(int=1)
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ANNA = "anna@insurer.example"


def worked(kind: type[Payload], *, author: str | None = ANNA, cause: str | None = "call", **told: Any) -> set[str]:
    data = kind.model_validate({"request_id": REQUEST, **told})
    event = Event(REQUEST, "/punctual/intake", REQUEST, 2, NOW, NOW, "c", "t", data, author, cause)
    return set(who_worked(event))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (RequestStageLeft, {"stage": "assessment"}),
        (RequestStageEntered, {"from_stage": "received", "stage": "assessment"}),
        (RequestControlRecorded, {"stage": "assessment", "control": "four_eyes", "is_passed": True}),
        (RequestClosed, {"outcome": "paid"}),
    ],
)
def test_who_is_named_and_who_wrote_it_worked(kind: type[Payload], told: dict[str, Any]) -> None:
    assert worked(kind, **told) == {ANNA}
    assert worked(kind, handler="h7", **told) == {"h7", ANNA}
    assert worked(kind, author=None, cause=None, handler="h7", **told) == {"h7"}
    assert worked(kind, author=None, cause=None, **told) == set()


def test_a_move_that_names_no_handler_is_work_too() -> None:
    assert worked(RequestChanged, reason="correction", attributes={"amount": 1}) == {ANNA}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (RequestAssigned, {"handler": "h7"}),
        (RequestExtended, {"objective": "resolution", "seconds": 60, "reason": "expert", "approved_by": "s-001"}),
        (RequestReopened, {"reason": "new_evidence"}),
        (RequestNoted, {"handler": "anna"}),
        (RequestFeedbackGiven, {"score": 1}),
        (RequestFindingConfirmed, {"rule": "likely_duplicate", "reason": "same"}),
        (RequestFindingDismissed, {"rule": "likely_duplicate", "reason": "other"}),
    ],
)
def test_who_leads_or_tells_what_a_reviewer_may_tell_is_not_kept_from_reviewing(
    kind: type[Payload], told: dict[str, Any]
) -> None:
    assert worked(kind, **told) == set()


def test_the_stage_that_a_reopening_leads_to_is_not_the_work_of_who_reopened() -> None:
    assert worked(RequestStageEntered, cause="entry:7", from_stage="decided", stage="assessment") == set()
