"""What intake answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.errors import PunctualError


@dataclass(frozen=True, slots=True)
class Accepted:
    """Attributes:
    view: the request as intake shows it.
    is_repeated: the answer of an earlier call with the same key.
    """

    view: dict[str, Any]
    is_repeated: bool


class Refused(PunctualError):
    """Intake understood the call and does not take it; a repeat would be refused too.

    Attributes:
        status: the HTTP status.
        code: the problem's code, such as ``stage_forbidden``.
        detail: the problem's own words.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code} ({status}): {detail}")
        self.status = status
        self.code = code
        self.detail = detail


class KeyRefused(PunctualError):
    """The system does not know the API key: nothing more that is sent with it can be taken."""


class GaveUp(PunctualError):
    """The service did not take the call within the time that was granted."""
