"""Who worked on a request, and so does not review it."""

from __future__ import annotations

from collections.abc import Iterator

from shared.contracts.casework import (
    RequestAcknowledged,
    RequestControlRecorded,
    RequestDocumentsReceived,
    RequestSplit,
)
from shared.contracts.envelope import Event
from shared.contracts.payload import Payload
from shared.contracts.requests import (
    RequestChanged,
    RequestClosed,
    RequestCustomerInformed,
    RequestPaused,
    RequestResponded,
    RequestResumed,
    RequestSignalled,
    RequestStageEntered,
    RequestStageLeft,
)

_WORK: tuple[type[Payload], ...] = (
    RequestAcknowledged,
    RequestStageEntered,
    RequestStageLeft,
    RequestControlRecorded,
    RequestResponded,
    RequestCustomerInformed,
    RequestPaused,
    RequestDocumentsReceived,
    RequestResumed,
    RequestChanged,
    RequestSignalled,
    RequestSplit,
    RequestClosed,
)
"""What moves a request towards its closing.

Not to assign it, grant it time, put it under other rules or reopen it, which leads the work; nor what a request takes
although it is over (a note, a message, an attachment, feedback, a complaint, a word on a finding), which reviewers may
tell of a case as well. A request that was cancelled or merged is never reviewed.
"""

_FOLLOWS = "entry:"  # the cause of what follows from an entry of the same history


def who_worked(event: Event[Payload]) -> Iterator[str]:
    """The handler whom the event names, and who wrote it: a handler need not be named, and who is may be another.

    An author may be a channel or a rule, which reviews nothing. What follows from another entry, as the stage does that
    a reopening leads to, is nobody's work by itself.
    """
    if not isinstance(event.data, _WORK):
        return
    handler: str | None = getattr(event.data, "handler", None)
    if handler is not None:
        yield handler
    if event.author is not None and not (event.cause or "").startswith(_FOLLOWS):
        yield event.author
