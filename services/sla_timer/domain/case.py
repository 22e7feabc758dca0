"""A request as its clocks see it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.sla_timer.domain.history import RequestEvent
from services.sla_timer.domain.rules import Facts, Policy, Rulebook


@dataclass(frozen=True, slots=True)
class Case:
    """What a clock is read from.

    Attributes:
        history: in the order in which it was said, the submission first.
    """

    request_id: UUID
    reference: str
    facts: Facts
    policy: Policy
    rulebook: Rulebook
    history: tuple[RequestEvent, ...]
