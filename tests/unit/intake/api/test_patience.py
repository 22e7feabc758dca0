"""Which time of a call counts, and what its client sees of one that was given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.intake.api.patience import UNBOUNDED, BoundedCalls
from tests.access.opening import matrix_of

PATIENCE = timedelta(milliseconds=50)
LONGER = 0.2
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}


async def called(app: Callable[[Scope, Receive, Send], Awaitable[None]], body_seconds: float = 0) -> list[Message]:
    """What the client was sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(body_seconds)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    context = cast("Any", SimpleNamespace(call_patience=PATIENCE, retry_after_seconds=7))
    async with asyncio.timeout(10):
        await BoundedCalls(app, context)({"type": "http", "method": "GET", "headers": []}, receive, send)
    return sent


async def test_a_call_that_takes_too_long_is_answered_503_and_what_it_says_later_goes_nowhere() -> None:
    may_end, has_ended = asyncio.Event(), asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await may_end.wait()
            await send(START)
            has_ended.set()

    sent = await called(app)
    assert [message.get("status") for message in sent] == [503, None]
    assert (b"retry-after", b"7") in sent[0]["headers"]
    may_end.set()
    await has_ended.wait()
    assert len(sent) == 2


async def test_the_time_that_a_client_takes_for_its_body_does_not_count() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send(END)

    assert await called(app, body_seconds=LONGER) == [START, END]


async def test_after_the_body_the_time_counts() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.sleep(3600)
        await send(START)

    assert (await called(app, body_seconds=LONGER))[0]["status"] == 503


async def test_an_answer_that_has_begun_is_not_cut() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(START)
        await asyncio.sleep(LONGER)
        await send(END)

    assert await called(app) == [START, END]


@pytest.mark.parametrize("route", sorted(UNBOUNDED))
async def test_a_route_that_may_take_long_is_not_cut(route: str) -> None:
    assert route in matrix_of("intake").routes
    method, _, path = route.partition(" ")

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        scope.update(method=method, route=SimpleNamespace(path=path))  # as the framework's routing tells it
        await asyncio.sleep(LONGER)
        await send(START)
        await send(END)

    assert await called(app) == [START, END]


async def test_an_error_of_the_application_is_its_own() -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await called(app)
