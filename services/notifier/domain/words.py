"""The vocabulary of notices. Values are stored and shown, so they never change."""

from __future__ import annotations

from enum import StrEnum

EMAIL = "email"
"""The only channel for now; part of every delivery's key."""

CUSTOMER = "customer"
_ROLE_PREFIX = "role:"
_LONGEST_AUDIENCE = 64  # in events

LONGEST_ROLE = _LONGEST_AUDIENCE - len(_ROLE_PREFIX) - 1
"""Of the directory's names. One less than fits, so that no name is what a longer one is cut to."""

EXPECTED_TIME_OBJECTIVE = "resolution"
"""Until there is a predictor, the expected time told to a customer is this clock's deadline."""


class NoticeKind(StrEnum):
    RECEIVED = "received"
    DOCUMENTS_NEEDED = "documents_needed"
    EXPECTED_TIME_CHANGED = "expected_time_changed"
    CLOSED = "closed"
    REOPENED = "reopened"
    CANCELLED = "cancelled"
    MERGED = "merged"
    WARNING = "warning"
    BREACH = "breach"
    ESCALATION = "escalation"
    BREACH_WITHDRAWN = "breach_withdrawn"
    REMINDER = "reminder"
    PAUSE_OVERRUN = "pause_overrun"


MUST_ARRIVE = frozenset(NoticeKind) - {NoticeKind.WARNING, NoticeKind.REMINDER}
"""Kinds that are sent once more when it stays in doubt whether the relay took them. What a warning or a reminder says
early is told in time by a breach.
"""


class NoticeState(StrEnum):
    """``planned``: the key is taken. ``held``: something is missing. ``ready``: may be claimed. ``sending``: leased.
    ``in_doubt``: the relay fell silent after the body began. The others are ends.
    """

    PLANNED = "planned"
    HELD = "held"
    READY = "ready"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"


LIVE = frozenset({NoticeState.PLANNED, NoticeState.HELD, NoticeState.READY, NoticeState.SENDING, NoticeState.IN_DOUBT})


class Phase(StrEnum):
    """How far an attempt has come. ``transmitting`` is committed before the first byte of the body is sent."""

    CLAIMED = "claimed"
    TRANSMITTING = "transmitting"


class Reason(StrEnum):
    """Why a notice is held, or why it ended otherwise than sent."""

    WAITING_REQUEST = "waiting_request"
    WAITING_CONTACT = "waiting_contact"
    WAITING_EXPECTED_TIME = "waiting_expected_time"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    ERASED = "erased"
    UNKNOWN_ROLE = "unknown_role"
    SUPERSEDED = "superseded"
    DEADLINE_MOVED = "deadline_moved"
    CLOCK_STOPPED = "clock_stopped"
    CLOCK_CANCELLED = "clock_cancelled"
    BREACH_WITHDRAWN = "breach_withdrawn"
    WAIT_ENDED = "wait_ended"
    PAUSE_ENDED = "pause_ended"
    IN_DOUBT = "in_doubt"
    MESSAGE_REFUSED = "message_refused"
    GAVE_UP = "gave_up"
    UNWRITABLE = "unwritable"


def role_audience(role: str) -> str:
    """Of a role that nobody can have, because its name is too long, the part that an event can name."""
    return (_ROLE_PREFIX + role)[:_LONGEST_AUDIENCE]


def role_of(audience: str) -> str | None:
    """The role's name; None for the customer."""
    return audience.removeprefix(_ROLE_PREFIX) if audience.startswith(_ROLE_PREFIX) else None
