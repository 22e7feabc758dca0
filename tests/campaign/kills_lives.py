"""Random lives of requests, and their events as intake would write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from uuid import UUID

from shared.clock import Clock
from shared.contracts.envelope import Event, encode
from shared.contracts.payload import Language, Market, Payload, Priority, RequestKind
from shared.contracts.requests import (
    RequestCancelled,
    RequestChanged,
    RequestClosed,
    RequestCustomerInformed,
    RequestExtended,
    RequestMerged,
    RequestMessageReceived,
    RequestPaused,
    RequestReopened,
    RequestResponded,
    RequestResumed,
    RequestSignalled,
    RequestStageEntered,
    RequestStageLeft,
    RequestSubmitted,
)
from shared.contracts.topics import REQUESTS
from shared.ids import new_id, new_reference, new_token
from shared.kafka import OutgoingRecord
from shared.telemetry.context import new_trace
from tests.campaign.kills_promises import PROMISES, WITHDRAWN, minutes
from tests.campaign.kills_told import Told

_SOURCE = "/punctual/intake"
_STAGES = ("received", "assessment", "decision", "payment")
_REASONS = ("customer_documents", "third_party", "customer_decision")
_SIGNALS = (
    *("inspection_ordered", "inspection_ordered", "inspection_done", "inspection_moved", "inspection_dropped"),
    *("access_denied", "access_granted"),
)
_MOST_STEPS = 18
_MEAN_GAP = 2.5  # minutes of business time
_LATE_SHARE, _LATEST = 0.12, 6.0  # minutes
_TWICE_SHARE = 0.08

_WEIGHTS = {
    "stage_entered": 20,
    "stage_left": 4,
    "responded": 14,
    "message_received": 14,
    "customer_informed": 8,
    "paused": 14,
    "resumed": 12,
    "signalled": 18,
    "changed": 8,
    "extended": 6,
    "closed": 10,
    "cancelled": 1,
    "merged": 1,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What is told next.

    Attributes:
        gap: since the step before.
        late_by: how long before it is told it occurred.
        is_twice: whether the same record comes again some time later.
    """

    gap: timedelta
    what: str
    value: str | None = None
    left: str | None = None
    seconds: int = 0
    late_by: timedelta = timedelta(0)
    is_twice: bool = False


def draw_life(rng: Random) -> Iterator[Step]:
    """Plausible for the most part, with some steps that make no sense; may end open."""
    stage = _STAGES[0]
    waits: list[str] = []
    is_closed = False
    yield _dressed(rng, "submitted", stage)
    for _ in range(rng.randint(2, _MOST_STEPS)):
        if is_closed:
            if rng.random() < 0.6:
                return
            what = "reopened" if rng.random() < 0.8 else rng.choice(("message_received", "paused", "responded"))
        else:
            what = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        value: str | None = None
        left: str | None = None
        seconds = 0
        if what == "stage_entered":
            left, stage = stage, rng.choice(_STAGES)
            value = stage
        elif what == "stage_left":
            value = stage
        elif what == "paused":
            value = rng.choice(_REASONS)
            waits.append(value)
        elif what == "resumed":
            value = waits.pop(rng.randrange(len(waits))) if waits else rng.choice(_REASONS)
        elif what == "signalled":
            value = rng.choice(_SIGNALS)
        elif what == "changed":
            value = rng.choice(("urgent", "normal"))
        elif what == "extended":
            value, seconds = rng.choice(PROMISES).code, rng.randint(30, 300)
        elif what == "closed":
            value = WITHDRAWN if rng.random() < 0.15 else "settled"
        elif what in {"reopened", "cancelled"}:
            value = "customer_asked"
        is_closed = what in {"closed", "cancelled", "merged"} or (is_closed and what != "reopened")
        yield _dressed(rng, what, value, left, seconds)


def _dressed(rng: Random, what: str, value: str | None = None, left: str | None = None, seconds: int = 0) -> Step:
    is_late = rng.random() < _LATE_SHARE
    return Step(
        gap=minutes(rng.expovariate(1 / _MEAN_GAP)),
        what=what,
        value=value,
        left=left,
        seconds=seconds,
        late_by=minutes(rng.uniform(0.1, _LATEST)) if is_late else timedelta(0),
        is_twice=rng.random() < _TWICE_SHARE,
    )


@dataclass(slots=True)
class Life:
    """One request and what was told of it.

    Attributes:
        number: of the round in which it was submitted.
    """

    steps: Iterator[Step]
    number: int
    request_id: UUID = field(default_factory=new_id)
    told: list[Told] = field(default_factory=list)

    def tell(self, step: Step, clock: Clock) -> OutgoingRecord:
        now = clock.now()
        told = Told(
            sequence=len(self.told) + 1,
            what=step.what,
            occurred_at=now - step.late_by,
            recorded_at=now,
            value=step.value,
            left=step.left,
            seconds=step.seconds,
        )
        self.told.append(told)
        trace = new_trace()
        event = Event(
            id=new_id(),
            source=_SOURCE,
            subject=self.request_id,
            sequence=told.sequence,
            occurred_at=told.occurred_at,
            recorded_at=told.recorded_at,
            correlation_id=trace.correlation_id,
            traceparent=trace.traceparent,
            data=payload_of(self.request_id, told),
        )
        return OutgoingRecord(REQUESTS.name, *encode(event))


def payload_of(request_id: UUID, told: Told) -> Payload:
    """What intake would say."""
    value = told.value or ""
    match told.what:
        case "submitted":
            return RequestSubmitted(
                request_id=request_id,
                reference=new_reference(),
                kind=RequestKind.CLAIM,
                channel="app",
                market=Market.HONG_KONG,
                language=Language.ENGLISH,
                customer_id=new_id(),
                stage=value,
                status_path=f"/t/{new_token()}",
            )
        case "stage_entered":
            return RequestStageEntered(request_id=request_id, from_stage=told.left or "", stage=value)
        case "stage_left":
            return RequestStageLeft(request_id=request_id, stage=value)
        case "changed":
            return RequestChanged(request_id=request_id, reason="customer_called", priority=Priority(value))
        case "extended":
            return RequestExtended(
                request_id=request_id, objective=value, seconds=told.seconds, reason="storm", approved_by="s-1"
            )
        case "closed":
            return RequestClosed(request_id=request_id, outcome=value)
        case "signalled":
            return RequestSignalled(request_id=request_id, signal=value)
        case "merged":
            return RequestMerged(request_id=request_id, into_request_id=new_id())
        case _:
            return _PLAIN[told.what](request_id, value)


_PLAIN: Mapping[str, Callable[[UUID, str], Payload]] = {
    "responded": lambda request_id, _: RequestResponded(request_id=request_id),
    "message_received": lambda request_id, _: RequestMessageReceived(request_id=request_id),
    "customer_informed": lambda request_id, _: RequestCustomerInformed(request_id=request_id),
    "paused": lambda request_id, reason: RequestPaused(request_id=request_id, reason=reason),
    "resumed": lambda request_id, reason: RequestResumed(request_id=request_id, reason=reason),
    "reopened": lambda request_id, reason: RequestReopened(request_id=request_id, reason=reason),
    "cancelled": lambda request_id, reason: RequestCancelled(request_id=request_id, reason=reason),
}
