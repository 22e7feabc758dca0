"""The words of a policy for events and for reasons to pause."""

from __future__ import annotations

import re

from services.sla_timer.domain.history import Happening
from services.sla_timer.domain.rules import ANY_REASON
from shared.rules.document import Field
from shared.rules.words import read_word

_VALUE = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")

_WITH_VALUE = frozenset(
    {
        Happening.STAGE_ENTERED,
        Happening.STAGE_LEFT,
        Happening.PAUSED,
        Happening.RESUMED,
        Happening.ASSIGNED,
        Happening.SIGNALLED,
        Happening.CONTROL_RECORDED,
        Happening.CHANGED,
        Happening.CLOSED,
        Happening.REOPENED,
    }
)
_WITHOUT_VALUE = frozenset(
    {
        Happening.SUBMITTED,
        Happening.RESPONDED,
        Happening.MESSAGE_RECEIVED,
        Happening.CUSTOMER_INFORMED,
        Happening.ACKNOWLEDGED,
        Happening.DOCUMENTS_RECEIVED,
        Happening.CANCELLED,
        Happening.MERGED,
    }
)
EVENTS = _WITH_VALUE | _WITHOUT_VALUE
"""What policies can name."""


def read_event(text: str) -> str:
    """What policies call an event: ``responded``, ``closed``, ``stage_entered:decision``, ``signalled:all_there``.

    Raises:
        ValueError: no event is called so.
    """
    name, colon, value = text.partition(":")
    if name in _WITHOUT_VALUE and not colon:
        return text
    if name in _WITH_VALUE and (not colon or _VALUE.fullmatch(value)):
        return text
    without = ", ".join(sorted(_WITHOUT_VALUE))
    with_value = ", ".join(f"{word}[:<which>]" for word in sorted(_WITH_VALUE))
    raise ValueError(f"{text!r} is no event; known are {without}, {with_value}")


def events_of(field: Field) -> frozenset[str]:
    return frozenset(entry.parse(read_event) for entry in field.items_or_self())


def reasons_of(field: Field) -> frozenset[str]:
    """Reasons of pauses; ``*`` alone is any."""
    entries = field.items_or_self()
    if [entry.text() for entry in entries] == [ANY_REASON]:
        return frozenset({ANY_REASON})
    return frozenset(entry.parse(read_word) for entry in entries)
