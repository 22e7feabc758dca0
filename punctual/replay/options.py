"""What a replay was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """Attributes:
    name: of the log in the idempotency keys; another name makes other requests.
    begins_at: when the log's first event shall happen; as the log or the map says when None.
    speed: None for that of the running system, or for the default.
    is_at_once: the whole log lies in the system's past, so that nothing waits for its instant.
    patience: how long one call is repeated, real time.
    settle_for: how long to wait for the clocks at the end, real time.
    is_fresh: forget what an earlier replay of this log left.
    """

    log: Path
    map: Path
    name: str
    speed: float | None = None
    is_at_once: bool = False
    url: str | None = None
    key: str = ""
    limit: int | None = None
    begins_at: datetime | None = None
    concurrency: int = 16
    patience: timedelta = timedelta(minutes=2)
    settle_for: timedelta = timedelta(seconds=30)
    is_fresh: bool = False
