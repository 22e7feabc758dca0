"""What sla_timer says about a clock. Subject and key: the request id. Source: ``/punctual/sla_timer``.

A clock is one objective on one request. ``occurred_at`` of a decision is the instant it became true (a breach occurs at
the deadline), ``recorded_at`` the instant it was decided; the difference is the lateness.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import Code, Count, Instant, Payload, ShortText


class ClockPayload(Payload):
    clock_id: UUID
    request_id: UUID
    reference: ShortText
    objective: Code
    """``response`` or ``resolution``; any word a policy gives."""
    cycle: Count = 1
    """1, then one more each time this objective starts again, by a reopening or another of its words. Not the number of
    times the request was opened: an objective may begin only after a reopening.
    """
    policy: Code
    policy_version: Count
    party: Code = "customer"
    """Whom the promise is made to: ``customer``, ``internal`` (another team) or ``supplier`` (owed by one)."""
    mode: Code = "normal"
    """The mode whose budget counts: ``normal``, ``peak`` or ``emergency``."""


class ClockStarted(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.started"

    started_at: Instant
    due_at: Instant
    budget_seconds: float
    budget_kind: Code
    """``working``, ``elapsed`` or ``days`` (working days; the seconds are then open ones up to the deadline)."""
    calendar: Code


class ClockPaused(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.paused"

    paused_at: Instant
    reason: Code
    withdrawn_warnings: tuple[Count, ...] = ()
    """Levels of warnings that were told and, as is known now, have not come yet; each is told again when it comes."""


class ClockResumed(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.resumed"

    resumed_at: Instant
    due_at: Instant
    withdrawn_warnings: tuple[Count, ...] = ()
    """As of a pause."""


class ClockRetargeted(ClockPayload):
    """The deadline moved for another reason than a pause. A clock that was told to have ended goes on with it."""

    TYPE: ClassVar[str] = "punctual.clock.retargeted"

    due_at: Instant
    previous_due_at: Instant | None
    reason: Code
    """``changed``, ``extended``, ``reset``, ``policy_applied``, ``mode_changed`` or ``late_news``."""
    withdrawn_warnings: tuple[Count, ...] = ()
    """As of a pause."""


class ClockWarned(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.warned"

    level: Count
    due_at: Instant
    notify_roles: tuple[Code, ...] = ()


class ClockBreached(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.breached"

    due_at: Instant
    notify_roles: tuple[Code, ...] = ()


class ClockPauseOverrun(ClockPayload):
    """A pause has lasted as long as the policy lets one last."""

    TYPE: ClassVar[str] = "punctual.clock.pause_overrun"

    level: Count
    """The first pause that lasted too long is 1, the next 2."""
    paused_at: Instant
    reason: Code
    notify_roles: tuple[Code, ...] = ()


class ClockBreachWithdrawn(ClockPayload):
    """Late news: the clock had stopped, stood still or had more time when it was due.

    It only takes the breach back. A clock that ended or stands still says so next; any other runs on.
    """

    TYPE: ClassVar[str] = "punctual.clock.breach_withdrawn"

    due_at: Instant
    stopped_at: Instant


class ClockEscalated(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.escalated"

    level: Count
    due_at: Instant
    notify_roles: tuple[Code, ...] = ()


class ClockMet(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.met"

    due_at: Instant
    stopped_at: Instant


class ClockMissed(ClockPayload):
    """The stop came, after the deadline."""

    TYPE: ClassVar[str] = "punctual.clock.missed"

    due_at: Instant
    stopped_at: Instant


class ClockCancelled(ClockPayload):
    TYPE: ClassVar[str] = "punctual.clock.cancelled"

    cancelled_at: Instant
    reason: Code


PAYLOADS: tuple[type[Payload], ...] = (
    ClockStarted,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    ClockWarned,
    ClockBreached,
    ClockPauseOverrun,
    ClockBreachWithdrawn,
    ClockEscalated,
    ClockMet,
    ClockMissed,
    ClockCancelled,
)
