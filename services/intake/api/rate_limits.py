"""How fast a key may call: a bucket for each key, in the memory of this process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from math import ceil
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.intake.domain.rate import Bucket, Rate, Verdict, take
from shared.clock import monotonic
from shared.http import Problem
from shared.http.access import Principal

_MOST = 10_000
"""Keys whose buckets are remembered, some hundred bytes each. The one unused for longest is forgotten: it is full."""

_LONGEST_TOLD = 86_400
"""Seconds. A key with a large burst and a small rate has to wait for weeks until it is full, and for ever with a rate
that keys could have before there was a smallest one: no header can say so, and nobody waits for it."""


class RateLimits:
    """Args:
    rate: of keys that have none of their own; None for no limit.
    elapsed: a monotonic clock, in seconds.
    """

    def __init__(self, rate: Rate | None = None, elapsed: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._elapsed = elapsed
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, caller: Principal, *, is_of_batch: bool = False) -> Verdict | None:
        """Count a call; None where nothing limits the caller. People are not limited: they have no key.

        Args:
            is_of_batch: a line of one, which leaves a reserve to single calls: it can wait, and they are refused.
        """
        terms = caller.terms
        if terms is None:
            return None
        rate = self._rate
        if terms.rate_per_second is not None and terms.burst is not None:
            rate = Rate(terms.rate_per_second, terms.burst)
        if rate is None:
            return None
        leave = rate.reserve if is_of_batch else 0
        verdict = take(self._buckets.get(terms.key), rate, self._elapsed(), leave=leave)
        self._buckets[terms.key] = verdict.bucket
        self._buckets.move_to_end(terms.key)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return verdict

    async def wait(self, caller: Principal, patience: timedelta) -> Verdict | None:
        """Count a line of a batch when its turn has come, in real time; the refusal where patience ends before that."""
        until = self._elapsed() + patience.total_seconds()
        while (verdict := self.take(caller, is_of_batch=True)) is not None and not verdict.is_granted:
            if self._elapsed() + verdict.retry_seconds > until:
                return verdict
            await asyncio.sleep(verdict.retry_seconds)
        return None


def _tell(seconds: float) -> int:
    return ceil(min(seconds, _LONGEST_TOLD))


def too_many_calls(verdict: Verdict) -> Problem:
    seconds = max(1, _tell(verdict.retry_seconds))
    rate = verdict.rate
    return Problem(
        429,
        "too_many_calls",
        "The key calls too often",
        f"It may call {rate.per_second:g} times a second, and {rate.burst} times at once after a pause.",
        headers={"Retry-After": str(seconds)},
    )


async def limit_rate(request: Request) -> None:
    """Stands behind the guard, before every route that is not open. Raises Problem: 429."""
    caller: Principal | None = getattr(request.state, "principal", None)
    if caller is not None and not hasattr(request.state, "verdict"):  # else it was counted before the routing
        count_call(request.scope, request.app.state.context.limits, caller)


def count_call(scope: Scope, limits: RateLimits, caller: Principal) -> None:
    """Count a call. Its answer tells what the key has left.

    Raises:
        Problem: 429, it is one too many.
    """
    verdict = limits.take(caller)
    scope.setdefault("state", {})["verdict"] = verdict
    if verdict is not None and not verdict.is_granted:
        raise too_many_calls(verdict)


class RateHeaders:
    """Tells with every answer how much the key has left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state: dict[str, Any] = scope.setdefault("state", {})

        async def told(message: Message) -> None:
            verdict: Verdict | None = state.get("verdict")
            if message["type"] == "http.response.start" and verdict is not None:
                numbers = {
                    b"ratelimit-limit": verdict.rate.burst,
                    b"ratelimit-remaining": verdict.remaining,
                    b"ratelimit-reset": _tell(verdict.reset_seconds),
                }
                headers = [(name, str(number).encode()) for name, number in numbers.items()]
                message = {**message, "headers": [*message.get("headers", ()), *headers]}
            await send(message)

        await self._app(scope, receive, told)
