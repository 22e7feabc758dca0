"""One call over HTTP, repeated until it is answered. Safe because every write carries its idempotency key."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from punctual.channel.answers import GaveUp, KeyRefused, Refused
from shared.clock import monotonic

_AGAIN = {429, 502, 503, 504}
_BROKEN = 500
_BROKEN_REPEATS = 5  # a fault that one call always meets must not hold up all others
_IN_FLIGHT = "idempotency_key_in_flight"
_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 2.0  # a service that comes back is met soon
_UNKNOWN_KEY = 401


class RetryingHttp:
    """Args:
    patience: how long one call is repeated, real time.
    """

    def __init__(self, http: httpx.AsyncClient, patience: timedelta) -> None:
        self._http = http
        self._patience = patience.total_seconds()
        self.retries = 0

    async def call(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None
    ) -> httpx.Response:
        """The answer, if it is a good one.

        Raises:
            Refused: a 4xx that a repeat would get again.
            KeyRefused: 401.
            GaveUp: nothing but errors and silence for as long as the patience lasts.
        """
        until = monotonic() + self._patience
        pause = _FIRST_PAUSE
        broken = 0
        while True:
            try:
                response = await self._http.request(method, url, headers=headers, content=content)
            except httpx.TransportError as error:
                said, wait = type(error).__name__, pause
            else:
                if response.is_success:
                    return response
                problem = problem_of(response)
                if response.status_code == _UNKNOWN_KEY:
                    raise KeyRefused(f"{method} {response.url}: {problem.detail}")
                broken += response.status_code == _BROKEN
                is_repeatable = response.status_code in _AGAIN or problem.code == _IN_FLIGHT
                if not is_repeatable and not 0 < broken <= _BROKEN_REPEATS:
                    raise problem
                said, wait = str(problem), _retry_after(response) or pause
            if monotonic() + wait > until:
                raise GaveUp(f"{method} {url}: {said}; given up after {self._patience:.0f} s")
            self.retries += 1
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311  callers spread out, no secret
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def json(self, method: str, url: str, *, headers: Mapping[str, str]) -> Any:
        """The body of the answer."""
        response = await self.call(method, url, headers=headers)
        try:
            return response.json()
        except ValueError:
            raise GaveUp(f"{method} {url} is not answered with JSON") from None


def problem_of(response: httpx.Response) -> Refused:
    """The refusal in an answer, whether or not it is problem+json."""
    try:
        body = response.json()
        code = str(body["type"]).rpartition(":")[2]
        fields = "; ".join(f"{error['field']}: {error['message']}" for error in body.get("errors", ()))
        detail = ". ".join(part for part in (body.get("detail") or body.get("title"), fields) if part)
    except (ValueError, KeyError, TypeError):
        code, detail = f"http_{response.status_code}", response.text[:200]
    return Refused(response.status_code, code, detail)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds; the form with a date is rare and falls back to our own pause."""
    text = response.headers.get("retry-after", "")
    return min(float(text), 60.0) if text.isdigit() else None
