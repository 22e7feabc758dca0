"""How the house runs, told by whoever declares it. Subject and key: the id of what was declared.

A mode is entered for a while: in ``peak`` or ``emergency`` policies may count other budgets. It is left when somebody
says so or when its end has come.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.contracts.payload import Code, Instant, Market, Payload


class ModeEntered(Payload):
    TYPE: ClassVar[str] = "punctual.mode.entered"

    activation_id: UUID
    mode: Code
    """``peak`` or ``emergency``."""
    markets: tuple[Market, ...] = ()
    """Where; empty: everywhere."""
    reason: Code
    author: Code
    until_at: Instant | None = None
    """When it ends by itself; null: when somebody leaves it."""


class ModeLeft(Payload):
    TYPE: ClassVar[str] = "punctual.mode.left"

    activation_id: UUID
    reason: Code
    author: Code


PAYLOADS: tuple[type[Payload], ...] = (ModeEntered, ModeLeft)
