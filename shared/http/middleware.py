"""Pure ASGI middleware. Starlette's own base class leaks database connections when a client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import cache

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import monotonic
from shared.http.problems import failure, http_problem
from shared.telemetry.context import bind_trace, new_trace
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import HTTP_SECONDS

_log = get_logger(__name__)

_seconds_of = cache(HTTP_SECONDS.labels)  # its own look-up takes a lock and makes texts of all four

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _READS | {"POST", "PUT", "PATCH", "DELETE"}


class TraceAndMetrics:
    """Binds the caller's trace, echoes its correlation id, measures, and answers what nothing else answered."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = traceparent = None
        for name, value in scope["headers"]:
            if name == b"x-correlation-id":
                correlation_id = value.decode("latin-1")
            elif name == b"traceparent":
                traceparent = value.decode("latin-1")
        started_at = monotonic()
        status = 0

        with bind_trace(new_trace(correlation_id, traceparent)) as trace:
            correlation = (b"x-correlation-id", trace.correlation_id.encode())

            async def traced(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    message = {**message, "headers": [*message.get("headers", ()), correlation]}
                await send(message)

            try:
                await self._app(scope, receive, traced)
            except Exception as error:
                if status:  # the answer has begun; all that is left is to end the connection
                    raise
                await failure(error).response()(scope, receive, traced)
            finally:
                # The route's template, never the path: a path may hold a customer's token.
                route = getattr(scope.get("route"), "path", "unmatched")
                method = scope["method"] if scope["method"] in _METHODS else "other"  # a caller may invent more
                seconds = monotonic() - started_at
                _seconds_of(self._service, method, route, status).observe(seconds)
                if method not in _READS:
                    _log.info("answered", method=method, route=route, status=status, seconds=round(seconds, 6))


class BodyTooLarge(HTTPException):
    """The body exceeds the cap. FastAPI lets this kind through while it reads a body; others it turns into 400."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"At most {limit} bytes are taken.")


class BodyTooSlow(HTTPException):
    """The body did not come in time. The rest of it is not waited for: the connection ends with the answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__(408, f"A body has {seconds:g} s to come.", {"Connection": "close"})


class _Body:
    """One body that is being received."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._seconds = seconds
        self._until = asyncio.get_running_loop().time() + seconds
        self._seen = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """
        Raises:
            BodyTooLarge: more bytes came.
            BodyTooSlow: the time is up.
        """
        if self._is_whole:  # only the client's leaving is waited for
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow(self._seconds) from None
        self._is_whole = not message.get("more_body", False)
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            raise BodyTooLarge(self._limit)
        return message


class BodyLimit:
    """Counts the bytes of a body as they come, since the length header can lie or be missing, and how long they take.

    Args:
        limit: bytes.
        seconds: for the whole body, real time.
        streamed: paths that take a body piece by piece and have limits of their own.
    """

    def __init__(self, app: ASGIApp, limit: int, seconds: float, streamed: Collection[str] = ()) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds
        self._streamed = frozenset(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._streamed:
            await self._app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await http_problem(BodyTooLarge(self._limit))(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, _Body(receive, self._limit, self._seconds).receive, watched)
        except (BodyTooLarge, BodyTooSlow) as problem:
            if has_begun:
                raise
            await http_problem(problem)(scope, receive, send)
