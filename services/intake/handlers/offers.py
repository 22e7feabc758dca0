"""Requests that wait to be taken in, and what may become of them."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.intake.domain.anomalies.likeness import Duplicate
from services.intake.domain.submission import Submission
from services.intake.store.submissions import Arrival
from shared.errors import PunctualError, Retryable
from shared.telemetry.context import Trace
from shared.values import value


class Overloaded(PunctualError):
    """As much waits already, or as long, as is allowed to; nothing of this one was stored."""


class StillWaiting(Retryable):
    """It was not stored in time and may still be; whoever repeats it with its key finds out."""


class KeyReused(PunctualError):
    """The idempotency key stands for another call."""


@value
class Settled:
    """It is stored for good.

    Attributes:
        status, body: the answer; on a repeat those of the first call.
        submission: what was stored now; None on a repeat.
        version: of the request that it became; means nothing on a repeat.
    """

    status: int
    body: str
    submission: Submission | None
    version: int = 1

    @property
    def is_replay(self) -> bool:
        return self.submission is None


Outcome = Settled | Exception
"""An error is a value here: nobody may be left to be told, and an error that is never read must not be a complaint."""

Subject = tuple[str, str]


@dataclass(slots=True, eq=False)
class Offer:
    """One request on its way into a transaction.

    Attributes:
        make: names the request and makes its answer, anew each time it is called; takes the requests that it is
            likely a duplicate of, if there are any.
        size: bytes it came in, for the bounds of a transaction.
        offered_at, give_up_at: readings of the monotonic clock; the second is set once a lock was waited for in vain.
        names_tried: how often it was made.
        is_of_batch: single requests go before it.
        is_aside: it was taken out of the groups.
        duplicates: those it was last made with.
    """

    make: Callable[..., Arrival]
    arrival: Arrival
    size: int
    trace: Trace
    offered_at: float
    outcome: Future[Outcome]
    give_up_at: float | None = None
    names_tried: int = 1
    is_of_batch: bool = False
    is_aside: bool = False
    duplicates: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        """Whose row is locked: channel and the channel's id of the customer."""
        submission = self.arrival.submission
        return submission.channel, submission.contact.external_id

    def rename(self) -> None:
        self.arrival = self.make()
        self.duplicates = ()
        self.names_tried += 1

    def name_duplicates(self, duplicates: Sequence[Duplicate]) -> None:
        """Have it say of which requests it is likely a duplicate; when it says so already it stays as it is."""
        named = tuple(one.request_id for one in duplicates)
        if named != self.duplicates:
            self.arrival = self.make(duplicates) if duplicates else self.make()
            self.duplicates = named

    def settle(self, outcome: Outcome) -> None:
        if not self.outcome.done():  # whoever waited for it may be gone
            self.outcome.set_result(outcome)
