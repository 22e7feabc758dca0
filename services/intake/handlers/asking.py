"""Who asks for a move, about what they saw, and how it can fail to be about a request at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.intake.domain.visibility import Visibility
from shared.errors import PunctualError


class RequestUnknown(PunctualError):
    """There is no such request, or none that the caller may see.

    Attributes:
        reference: of which.
    """

    def __init__(self, reference: str) -> None:
        super().__init__(f"no request {reference}")
        self.reference = reference


class ProcessUnknown(PunctualError):
    """There is no such version of a process."""


class ChangedMeanwhile(PunctualError):
    """The request is not what the caller saw.

    Attributes:
        version: what it has now.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"the request has version {version}")
        self.version = version


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and about what they saw.

    Attributes:
        by: name of the caller.
        visibility: which requests the caller sees.
        occurred_at: when it happened, business time; None means now.
        seen_versions: the move is for one of these versions only; None means whatever it is.
        texts: what people wrote with it.
        cause: what made it happen besides the call.
    """

    by: str
    visibility: Visibility
    occurred_at: datetime | None = None
    seen_versions: frozenset[int] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    cause: str | None = None
