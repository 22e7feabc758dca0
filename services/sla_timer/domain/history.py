"""The history of a request as clocks see it: what was told about it, in words that policies use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from services.sla_timer.domain.facts import changes_of
from shared.contracts import casework, requests
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.values import value

Details = Mapping[str, Any]


class Happening(StrEnum):
    SUBMITTED = "submitted"
    STAGE_ENTERED = "stage_entered"
    STAGE_LEFT = "stage_left"
    RESPONDED = "responded"
    MESSAGE_RECEIVED = "message_received"
    CUSTOMER_INFORMED = "customer_informed"
    ACKNOWLEDGED = "acknowledged"
    CONTROL_RECORDED = "control_recorded"
    DOCUMENTS_RECEIVED = "documents_received"
    ASSIGNED = "assigned"
    PAUSED = "paused"
    RESUMED = "resumed"
    SIGNALLED = "signalled"
    CHANGED = "changed"
    EXTENDED = "extended"
    CLOSED = "closed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    MERGED = "merged"
    POLICY_APPLIED = "policy_applied"
    MODE_CHANGED = "mode_changed"


class Origin(StrEnum):
    """Who told an entry; each numbers its own."""

    INTAKE = "intake"
    HOUSE = "house"  # this service: rules and modes that reached a running request


CONCERNS_EVERY_CLOCK = frozenset(
    {
        Happening.SUBMITTED,
        Happening.CHANGED,
        Happening.CLOSED,
        Happening.REOPENED,
        Happening.CANCELLED,
        Happening.MERGED,
        Happening.POLICY_APPLIED,
        Happening.MODE_CHANGED,
    }
)
"""Read by the clocks of every objective, whatever words it names."""

ENDINGS = frozenset({Happening.CLOSED, Happening.CANCELLED, Happening.MERGED})
"""The request is over: its clocks are frozen until it is reopened."""


class Meaning(NamedTuple):
    """What an entry means to clocks; the same for all entries that say the same.

    Attributes:
        words: what policies call it: ``closed`` and ``closed:paid``.
        concerns_every_clock: whatever words an objective names.
        ends_request: its clocks are frozen until it is reopened.
    """

    words: frozenset[str]
    concerns_every_clock: bool
    ends_request: bool


@value
class RequestEvent:
    """One entry of a request's history.

    Attributes:
        sequence: the origin's number; the order in which things were said, not in which they occurred.
        occurred_at: never after ``recorded_at``: what is said to happen later has happened when it was said.
        value: the stage, reason, team, signal, outcome, mode or objective.
        details: what else there is: ``from`` of a stage, changed facts, ``seconds`` of an extension, ``version``.
    """

    sequence: int
    happening: Happening
    occurred_at: datetime
    recorded_at: datetime
    value: str | None = None
    details: Details | None = None
    origin: Origin = Origin.INTAKE
    meaning: Meaning = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        before = self.details.get("from") if self.details is not None else None
        object.__setattr__(self, "meaning", _meaning(self.happening, self.value, before))

    @property
    def words(self) -> frozenset[str]:
        """What policies call it: ``closed`` and ``closed:paid``."""
        return self.meaning.words


@lru_cache(maxsize=4096)
def _meaning(happening: Happening, value: str | None, before: str | None) -> Meaning:
    words = {happening.value}
    if value is not None:
        words.add(f"{happening.value}:{value}")
    if happening is Happening.SUBMITTED:
        words = {"submitted", f"stage_entered:{value}"}
    elif happening is Happening.STAGE_ENTERED and before is not None:
        words |= {"stage_left", f"stage_left:{before}"}
    return Meaning(frozenset(words), happening in CONCERNS_EVERY_CLOCK, happening in ENDINGS)


def means_nothing(payload: Payload) -> bool:
    """Whether it is of the life of requests and says nothing to clocks."""
    if isinstance(payload, casework.RequestProcessChanged):
        return payload.from_stage is None
    return isinstance(payload, _PASSED_OVER)


def request_event(event: Event[Payload]) -> RequestEvent | None:
    """What an event adds to the history; None for what clocks do not hear."""
    if means_nothing(event.data):
        return None
    read = _READERS.get(type(event.data))
    if read is None:
        return None
    happening, value, details = read(event.data)
    recorded_at = event.recorded_at
    return RequestEvent(event.sequence, happening, min(event.occurred_at, recorded_at), recorded_at, value, details)


Told = tuple[Happening, str | None, Details | None]


def _extended(data: requests.RequestExtended) -> Told:
    granted = {"seconds": data.seconds, "reason": data.reason, "approved_by": data.approved_by}
    return Happening.EXTENDED, data.objective, granted


def _cleared(data: requests.RequestAssigned) -> Details | None:
    return {"cleared": list(data.cleared)} if data.cleared else None


# By the very type: asking a model's class what it is an instance of costs as much as all the rest of an entry.
_READERS: Mapping[type[Payload], Callable[[Any], Told]] = {
    requests.RequestSubmitted: lambda data: (Happening.SUBMITTED, data.stage, None),
    requests.RequestStageEntered: lambda data: (Happening.STAGE_ENTERED, data.stage, {"from": data.from_stage}),
    requests.RequestStageLeft: lambda data: (Happening.STAGE_LEFT, data.stage, None),
    requests.RequestResponded: lambda _: (Happening.RESPONDED, None, None),
    requests.RequestMessageReceived: lambda _: (Happening.MESSAGE_RECEIVED, None, None),
    requests.RequestCustomerInformed: lambda _: (Happening.CUSTOMER_INFORMED, None, None),
    casework.RequestAcknowledged: lambda _: (Happening.ACKNOWLEDGED, None, None),
    casework.RequestControlRecorded: lambda data: (
        Happening.CONTROL_RECORDED,
        data.control,
        {"passed": data.is_passed},
    ),
    casework.RequestProcessChanged: lambda data: (Happening.STAGE_ENTERED, data.stage, {"from": data.from_stage}),
    casework.RequestDocumentsReceived: lambda _: (Happening.DOCUMENTS_RECEIVED, None, None),
    requests.RequestAssigned: lambda data: (Happening.ASSIGNED, data.team, _cleared(data)),
    requests.RequestPaused: lambda data: (Happening.PAUSED, data.reason, None),
    requests.RequestResumed: lambda data: (Happening.RESUMED, data.reason, None),
    requests.RequestSignalled: lambda data: (Happening.SIGNALLED, data.signal, None),
    requests.RequestChanged: lambda data: (Happening.CHANGED, data.reason, changes_of(data)),
    requests.RequestExtended: _extended,
    requests.RequestClosed: lambda data: (Happening.CLOSED, data.outcome, None),
    requests.RequestReopened: lambda data: (Happening.REOPENED, data.reason, None),
    requests.RequestCancelled: lambda data: (Happening.CANCELLED, data.reason, None),
    requests.RequestMerged: lambda data: (Happening.MERGED, None, {"into": str(data.into_request_id)}),
}

_PASSED_OVER = tuple(payload for payload in casework.PAYLOADS if payload not in _READERS)
