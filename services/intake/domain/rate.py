"""A token bucket: so many calls a second, and so many at once after a quiet while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Attributes:
    per_second: calls that are let through in the long run.
    burst: calls that are let through at once by a full bucket.
    """

    per_second: float
    burst: int

    @property
    def reserve(self) -> int:
        """Calls that lines of a batch leave to single calls, which somebody waits for. None of a burst of one."""
        return min(max(1, self.burst // 4), self.burst - 1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Attributes:
    tokens: calls it would let through at once.
    filled_at: when that was so; seconds of a monotonic clock.
    """

    tokens: float
    filled_at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one call.

    Attributes:
        bucket: as it is after it.
        remaining: calls that would be let through now.
        reset_seconds: until the bucket is full.
        retry_seconds: until it lets such a call through; 0 where it let this one through.
    """

    rate: Rate
    bucket: Bucket
    is_granted: bool
    remaining: int
    reset_seconds: float
    retry_seconds: float


def take(bucket: Bucket | None, rate: Rate, at: float, *, leave: int = 0) -> Verdict:
    """Ask for one call.

    Args:
        bucket: None for a full one.
        at: seconds of a monotonic clock; one that stands before ``filled_at`` fills nothing.
        leave: calls that the bucket has to let through after this one, below its burst.
    """
    tokens = float(rate.burst)
    if bucket is not None:
        at = max(at, bucket.filled_at)
        tokens = min(tokens, bucket.tokens + (at - bucket.filled_at) * rate.per_second)
    is_granted = tokens >= 1 + leave
    if is_granted:
        tokens -= 1
    return Verdict(
        rate=rate,
        bucket=Bucket(tokens, at),
        is_granted=is_granted,
        remaining=int(tokens),
        reset_seconds=(rate.burst - tokens) / rate.per_second,
        retry_seconds=0.0 if is_granted else (1 + leave - tokens) / rate.per_second,
    )
