"""The history of a request as clocks see it, and the pauses it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import (
    RequestClosed,
    RequestPaused,
    RequestResponded,
    RequestResumed,
    RequestStageEntered,
    RequestSubmitted,
)
from shared.worktime import Segment, union


class Happening(StrEnum):
    SUBMITTED = "submitted"
    STAGE_ENTERED = "stage_entered"
    RESPONDED = "responded"
    PAUSED = "paused"
    RESUMED = "resumed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One entry of a request's history.

    Attributes:
        sequence: intake's number; the order in which things were said, not in which they occurred.
        occurred_at: never after ``recorded_at``: what is said to happen later has happened when it was said.
        value: the stage, reason or outcome.
    """

    sequence: int
    happening: Happening
    occurred_at: datetime
    recorded_at: datetime
    value: str | None = None


def request_event(event: Event[Payload]) -> RequestEvent | None:
    """What an event adds to the history; None for types that clocks do not hear."""
    match event.data:
        case RequestSubmitted():
            happening, value = Happening.SUBMITTED, None
        case RequestStageEntered(stage=stage):
            happening, value = Happening.STAGE_ENTERED, stage
        case RequestResponded():
            happening, value = Happening.RESPONDED, None
        case RequestPaused(reason=reason):
            happening, value = Happening.PAUSED, reason
        case RequestResumed(reason=reason):
            happening, value = Happening.RESUMED, reason
        case RequestClosed(outcome=outcome):
            happening, value = Happening.CLOSED, outcome
        case _:
            return None
    return RequestEvent(event.sequence, happening, min(event.occurred_at, event.recorded_at), event.recorded_at, value)


@dataclass(frozen=True, slots=True)
class Pauses:
    """When a clock stands still.

    Attributes:
        closed: sorted, apart from each other.
        open_since: since when it stands still until further notice; every closed one begins before.
        reason: the first reason of the open pause.
    """

    closed: tuple[Segment[datetime], ...] = ()
    open_since: datetime | None = None
    reason: str | None = None

    def until(self, end: datetime) -> Pauses:
        """What lies before ``end``, all of it closed there."""
        ends = [*self.closed, *(((self.open_since, end),) if self.open_since is not None else ())]
        return Pauses(tuple(union((start, min(stop, end)) for start, stop in ends)))


def find_pauses(history: Iterable[RequestEvent], reasons: frozenset[str]) -> Pauses:
    """Pair pauses with resumptions, reason by reason, in the order they were said.

    A resumption said to occur before its pause makes a pause of no length; one without a pause means nothing.
    """
    open_since: dict[str, datetime] = {}
    closed: list[Segment[datetime]] = []
    for event in history:
        if event.value not in reasons:
            continue
        if event.happening is Happening.PAUSED:
            open_since[event.value] = min(event.occurred_at, open_since.get(event.value, event.occurred_at))
        elif event.happening is Happening.RESUMED and event.value in open_since:
            closed.append((open_since.pop(event.value), event.occurred_at))
    if not open_since:
        return Pauses(tuple(union(closed)))
    reason = min(open_since, key=lambda name: (open_since[name], name))
    since = open_since[reason]
    joined = union(closed)
    since = next((start for start, end in joined if start < since <= end), since)  # what it touches, it continues
    return Pauses(tuple(union((start, min(end, since)) for start, end in joined)), since, reason)


def first_stop(
    history: Sequence[RequestEvent], stops: frozenset[str], cancelled_by: frozenset[str]
) -> tuple[RequestEvent, bool] | None:
    """The event that ends a clock (the first to occur, whenever it was said), and whether it cancels."""
    endings = [event for event in history if is_stop(event, stops) or is_cancellation(event, cancelled_by)]
    if not endings:
        return None
    ending = min(endings, key=lambda event: (event.occurred_at, event.sequence))
    return ending, is_cancellation(ending, cancelled_by)


def is_stop(event: RequestEvent, stops: frozenset[str]) -> bool:
    return event.happening in stops or f"{event.happening}:{event.value}" in stops


def is_cancellation(event: RequestEvent, cancelled_by: frozenset[str]) -> bool:
    return event.happening is Happening.CLOSED and event.value in cancelled_by
