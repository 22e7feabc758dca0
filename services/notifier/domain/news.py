"""An event, reduced to what planning needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.payload import Payload


@dataclass(frozen=True, slots=True)
class News:
    """Instants are business time."""

    data: Payload
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str
    traceparent: str
