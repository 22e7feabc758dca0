"""Clients that say more than a head may hold, without a socket: what they are told, and when they are let go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from shared.http.connection import HEAD_BYTES, Connection

REFUSED = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"
MANY = b"".join(b"a%d: 1\r\n" % number for number in range(10_000))
SIZES = [1 << 20, 1460, 61]
"""Bytes that come at a time."""


class Line(asyncio.Transport):
    """What a server writes to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._is_closing = False

    def write(self, data: Any) -> None:
        if not self._is_closing:
            self.written += data

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    def pause_reading(self) -> None:
        """All of it comes from memory."""

    def resume_reading(self) -> None:
        """As above."""


class Client:
    """Attributes:
    heard: the bytes of the headers and of the body of each request that the application answered.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []
        self.line = Line()
        config = uvicorn.Config(self._answer, interface="asgi3", log_config=None, lifespan="off")
        self._connection = Connection(config, ServerState(), {}, asyncio.get_running_loop())
        self._connection.connection_made(self.line)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        self.heard.append((sum(len(name) + len(value) for name, value in scope["headers"]), len(body)))
        await Response()(scope, receive, send)

    async def send(self, data: bytes, size: int = SIZES[0]) -> None:
        """As a transport does: nothing comes behind the end."""
        for begin in range(0, len(data), size):
            if not self.line.is_closing():
                self._connection.data_received(data[begin : begin + size])
        for _ in range(20):  # steps in which what was sent is answered
            await asyncio.sleep(0)

    async def leave(self) -> None:
        self._connection.connection_lost(None)
        await asyncio.gather(*self._connection.tasks, return_exceptions=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "said",
    [
        POST + b"a: " + b"x" * 65_536 + b"\r\n\r\n",
        POST + MANY + b"\r\n",
        b"GET /?" + b"x" * 65_536 + b" HTTP/1.1\r\nHost: test\r\n\r\n",
        CHUNKED + b"0\r\na: " + b"x" * 65_536 + b"\r\n\r\n",
        CHUNKED + b"0\r\n" + MANY + b"\r\n",
        CHUNKED + b"4;a=" + b"x" * 65_536 + b"\r\nmore\r\n0\r\n\r\n",
    ],
    ids=["header", "headers", "address", "trailer", "trailers", "note on a chunk"],
)
async def test_what_is_longer_than_a_head_may_be_is_refused_and_the_connection_ends(said: bytes, size: int) -> None:
    client = Client()
    await client.send(said, size)
    assert client.line.is_closing()
    assert client.line.written == REFUSED
    await client.leave()
    assert client.heard == []


@pytest.mark.parametrize("size", SIZES)
async def test_a_head_may_be_as_long_as_the_bound_and_not_one_byte_longer(size: int) -> None:
    client = Client()
    head = POST + b"a: " + b"x" * (HEAD_BYTES - len(POST) - 7) + b"\r\n\r\n"
    assert len(head) == HEAD_BYTES
    for _ in range(3):
        await client.send(head, size)
    assert (len(client.heard), client.line.is_closing()) == (3, False)
    await client.send(head.replace(b"\r\n\r\n", b"x\r\n\r\n"), size)
    assert client.line.written.endswith(REFUSED)
    assert (len(client.heard), client.line.is_closing()) == (3, True)
    await client.leave()


@pytest.mark.parametrize("size", SIZES)
async def test_long_tokens_and_bodies_of_any_length_are_heard_whole(size: int) -> None:
    client = Client()
    token = b"Authorization: Bearer " + b"x" * 16_384 + b"\r\n"
    whole = POST + token + b"Content-Length: 300000\r\n\r\n" + b"x" * 300_000
    chunks = POST + token + b"Transfer-Encoding: chunked\r\n\r\n" + b"3;note\r\nabc\r\n" * 20_000 + b"0\r\na: b\r\n\r\n"
    for said in (whole, chunks, whole + chunks + whole):
        await client.send(said, size)
    assert [length for _, length in client.heard] == [300_000, 60_000, 300_000, 60_000, 300_000]
    assert min(length for length, _ in client.heard) > 16_384
    assert not client.line.is_closing()
    await client.leave()


async def test_no_refusal_is_taken_for_the_answer_to_what_was_asked_before(caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    await client.send(POST + b"\r\n" + POST + b"a: " + b"x" * 65_536)
    assert (client.line.written, client.line.is_closing()) == (b"", True)
    await client.leave()
    assert not caplog.records
