"""What a reminder leaves in the history of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Reminded:
    """A stage had waited for the house as long as a rule of automation lets it wait. It changes nothing else.

    Attributes:
        stage_entry: the sequence of the entry that brought the request to the stage.
        number: 1, and one more with each repeat of the rule since then.
        entered_at: when the request came to the stage, business time.
        due_at: when it had waited so long; the entry itself says when that was noticed.
        notify_roles: who is told; at least one.
    """

    TYPE: ClassVar[str] = "reminded"

    rule: str
    stage: str
    stage_entry: int
    number: int
    entered_at: datetime
    due_at: datetime
    notify_roles: tuple[str, ...]
