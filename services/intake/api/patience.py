"""Calls that take too long are answered 503, and what they began ends by itself.

Whether a write that was begun is committed is not known then, as when a connection dies around COMMIT: the repeat with
its idempotency key finds out. A COMMIT is not cut short (``shared.postgres.commits``). Submissions are not bounded here
but where they wait, in their queue.
"""

from __future__ import annotations

import asyncio
from math import inf

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.intake.api.context import Context
from shared.clock import monotonic
from shared.errors import Retryable
from shared.http import unavailable
from shared.waiting import give_up

UNBOUNDED = frozenset(
    {
        # These are told in pieces, and have bounds of their own.
        "POST /v1/requests:batch",
        "GET /v1/changes",
        # These go through many requests, or through all that is held on somebody.
        "GET /v1/verification",
        "POST /v1/automation:try",
        "GET /v1/data-quality",
        "GET /v1/customers/{customer_id}/export",
        "GET /v1/customers/{customer_id}/erasure",
        "POST /v1/customers/{customer_id}:erase",
    }
)
"""Routes that may take as long as they take."""


class TookTooLong(Retryable):
    """The call was given up; whether what it wrote is committed is not known."""


class BoundedCalls:
    """Stands between plain submissions and the framework's routing, which names the route."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        patience = self._context.call_patience.total_seconds()
        call = _Call(receive, send)
        task = asyncio.ensure_future(self._app(scope, call.receive, call.send))
        try:
            left = patience
            while left > 0 and not task.done():
                await asyncio.wait({task}, timeout=left)
                left = min(patience, call.since + patience - monotonic())
                if left <= 0 and (call.has_begun or _route_of(scope) in UNBOUNDED):
                    await asyncio.wait({task})
        finally:
            if not task.done():
                call.is_over = True
                give_up(task)
        if task.done():
            task.result()
        else:
            error = TookTooLong(f"after {patience:g} s")
            await unavailable(error, self._context.retry_after_seconds).response()(scope, receive, send)


class _Call:
    """What passes between a call and its client.

    Attributes:
        since: when it last had all that it wanted of the client; never while it waits for more.
        has_begun: the answer has; the client has to take it as it comes.
        is_over: another answer was given.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.since = monotonic()
        self.has_begun = False
        self.is_over = False

    async def receive(self) -> Message:
        self.since = inf
        try:
            return await self._receive()
        finally:
            self.since = monotonic()

    async def send(self, message: Message) -> None:
        if not self.is_over:
            self.has_begun = True
            await self._send(message)


def _route_of(scope: Scope) -> str:
    return f"{scope['method']} {getattr(scope.get('route'), 'path', '')}"
