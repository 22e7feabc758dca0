"""A client that takes nothing is cut off, without what was written for it; on a real socket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from fastapi import FastAPI, Response
from starlette.types import Receive, Scope, Send

from shared.http import abort_connection
from tests.unit.shared.test_slow_headers import LATE_SECONDS, serving

MUCH = 30_000_000
"""More than the buffers of both ends hold."""


class TooMuch(Response):
    def __init__(self, given_up: asyncio.Event) -> None:
        super().__init__()
        self._given_up = given_up

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(MUCH), "more_body": True})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await send({"type": "http.response.body", "body": b"the rest", "more_body": True})
        abort_connection(scope)
        self._given_up.set()


async def test_an_aborted_connection_does_not_wait_until_its_client_has_taken_what_was_written() -> None:
    app, given_up = FastAPI(), asyncio.Event()

    @app.get("/")
    async def too_much() -> Response:
        return TooMuch(given_up)

    async with serving(app) as connect, asyncio.timeout(LATE_SECONDS):
        client = await connect()
        client.writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        await given_up.wait()
        taken = 0
        with suppress(ConnectionResetError):
            while piece := await client.reader.read(65_536):
                taken += len(piece)
    assert taken < MUCH
