"""Why a move is not made."""

from __future__ import annotations

from collections.abc import Iterable

from shared.errors import PunctualError

THE_MOVE = "path:move"
"""The field of a refusal that is at fault when no value of any field would help, but another move."""

NOTHING_CHANGED = "nothing_changed"
"""The code of a move that asks for what is so already."""


class MoveRefused(PunctualError):
    """The process definition forbids the move.

    Attributes:
        code: a stable word in snake_case.
        field: the field of the move that is at fault, or ``THE_MOVE``; None when what it asks for is so already.
        allowed: what the field may be instead.
        missing: what has to be there first, such as ``control:cover_checked`` or ``attribute:amount``.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        field: str | None = None,
        allowed: Iterable[str] = (),
        missing: Iterable[str] = (),
    ) -> None:
        self.allowed = tuple(allowed)
        self.missing = tuple(missing)
        if field is not None and not self.missing:
            detail = f"{detail}; allowed: {', '.join(self.allowed) or 'none'}"
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
