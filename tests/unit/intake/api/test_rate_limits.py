"""Whose calls are counted, and together with which."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from fastapi import Response
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from services.intake.api import rate_limits
from services.intake.api.key_views import SLOWEST, KeyBody
from services.intake.api.rate_limits import RateHeaders, RateLimits, count_call, too_many_calls
from services.intake.domain.rate import Rate
from shared.http import Problem
from shared.http.access import KeyTerms, Principal


def with_key(key: str, rate: float | None = None, burst: int | None = None) -> Principal:
    return Principal("app", "app", "channel", terms=KeyTerms(key, None, rate, burst))


def granted(limits: RateLimits, caller: Principal, count: int) -> int:
    return sum((verdict := limits.take(caller)) is None or verdict.is_granted for _ in range(count))


def test_two_keys_of_one_name_do_not_share_a_bucket() -> None:
    limits = RateLimits(Rate(1, 3), elapsed=lambda: 0.0)
    assert [granted(limits, with_key(key), 5) for key in ("a", "b")] == [3, 3]


def test_what_a_key_says_counts_more_than_the_setting() -> None:
    limits = RateLimits(Rate(1, 3), elapsed=lambda: 0.0)
    assert granted(limits, with_key("a", 10, 7), 20) == 7
    assert granted(RateLimits(elapsed=lambda: 0.0), with_key("a", 10, 7), 20) == 7


def test_people_and_keys_without_any_rate_are_not_limited() -> None:
    assert granted(RateLimits(Rate(1, 3), elapsed=lambda: 0.0), Principal("7f3a", "chan", "staff"), 10) == 10
    assert granted(RateLimits(elapsed=lambda: 0.0), with_key("a"), 10) == 10


def test_the_memory_is_bounded_and_the_key_unused_for_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "_MOST", 2)
    limits = RateLimits(Rate(1, 3), elapsed=lambda: 0.0)
    for key in ("a", "b", "a", "c"):
        limits.take(with_key(key))
    assert list(limits._buckets) == ["a", "c"]


rates = st.floats(SLOWEST, 100_000) | st.just(5e-324)  # the last could be given before there was a smallest one
bursts = st.integers(1, 1_000_000)


@given(rates, bursts, st.integers(1, 5))
async def test_what_a_key_is_told_is_a_number_of_seconds_within_a_day(rate: float, burst: int, calls: int) -> None:
    limits, caller = RateLimits(elapsed=lambda: 0.0), with_key("a", rate, burst)
    told: dict[bytes, bytes] = {}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(calls):
            with suppress(Problem):
                count_call(scope, limits, caller)
        await Response()(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        told.update(message.get("headers", ()))

    scope: Scope = {"type": "http"}
    await RateHeaders(answer)(scope, receive, send)
    assert 0 <= int(told[b"ratelimit-reset"]) <= 86_400
    verdict = scope["state"]["verdict"]
    assert 1 <= int(too_many_calls(verdict).headers["Retry-After"]) <= 86_400
    assert (await limits.wait(caller, timedelta(0)) is None) == (calls < burst - Rate(rate, burst).reserve)


def test_a_rate_that_is_next_to_nothing_cannot_be_given() -> None:
    body = {"name": "app", "role": "channel", "scopes": ["read"], "burst": 1}
    assert KeyBody.model_validate(body | {"rate_per_second": SLOWEST}).rate_per_second == SLOWEST
    for rate in (0, 5e-324, SLOWEST / 2):
        with pytest.raises(ValidationError, match=r"greater than or equal to 0\.001"):
            KeyBody.model_validate(body | {"rate_per_second": rate})


async def test_who_would_wait_too_long_is_refused_at_once() -> None:
    limits = RateLimits(Rate(0.01, 1), elapsed=lambda: 0.0)
    assert await limits.wait(with_key("a"), timedelta(seconds=30)) is None
    refusal = await limits.wait(with_key("a"), timedelta(seconds=30))
    assert refusal is not None
    assert too_many_calls(refusal).headers == {"Retry-After": "100"}


async def test_who_waits_is_let_through_when_the_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    elapsed = 0.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal elapsed
        slept.append(seconds)
        elapsed += seconds

    monkeypatch.setattr("services.intake.api.rate_limits.asyncio.sleep", sleep)
    limits = RateLimits(Rate(4, 1), elapsed=lambda: elapsed)
    for _ in range(3):
        assert await limits.wait(with_key("a"), timedelta(seconds=30)) is None
    assert slept == [0.25, 0.25]


async def test_a_batch_that_takes_every_turn_leaves_single_calls_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    elapsed = 0.0
    singles: list[bool] = []

    async def sleep(seconds: float) -> None:
        """While a line waits, a single call comes every half second: half of what the key may."""
        nonlocal elapsed
        elapsed += seconds
        while len(singles) < 2 * elapsed:
            verdict = limits.take(with_key("a"))
            singles.append(verdict is not None and verdict.is_granted)

    monkeypatch.setattr("services.intake.api.rate_limits.asyncio.sleep", sleep)
    limits = RateLimits(Rate(4, 8), elapsed=lambda: elapsed)
    for _ in range(200):
        assert await limits.wait(with_key("a"), timedelta(seconds=30)) is None
    assert len(singles) > 100
    assert all(singles)
