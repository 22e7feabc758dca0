"""Clients that are slow to say what they want, on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from shared.clock import monotonic
from shared.http import HttpServer
from tests.unit.shared.test_server import HOST, free_port

BOUND_SECONDS = 0.5
LATE_SECONDS = 15.0
"""By then a connection that is bounded at all has ended, however busy the machine."""

HEAD = b"GET / HTTP/1.1\r\nHost: test\r\n"


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def root() -> str:
        return "here"

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.get("/slow")
    async def slow() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            for piece in "slow":
                await asyncio.sleep(BOUND_SECONDS / 2)
                yield piece

        return StreamingResponse(pieces())

    return app


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[Callable[[], asyncio.Future[Client]]]:
    port, stopping = free_port(), asyncio.Event()
    running = asyncio.create_task(HttpServer(app, HOST, port, head_seconds=BOUND_SECONDS).run(stopping))
    clients: list[Client] = []

    async def connect() -> Client:
        async with asyncio.timeout(LATE_SECONDS):
            while True:
                try:
                    clients.append(Client(*await asyncio.open_connection(HOST, port)))
                    return clients[-1]
                except ConnectionRefusedError:
                    await asyncio.sleep(0.02)  # the port is opened in a moment

    try:
        yield lambda: asyncio.ensure_future(connect())
    finally:
        for client in clients:
            client.writer.close()
        stopping.set()
        await running


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def end(self) -> tuple[bytes, float]:
        """What still comes until the server closes, and how many seconds that takes."""
        began_at = monotonic()
        async with asyncio.timeout(LATE_SECONDS):
            try:
                rest = await self.reader.read()
            except ConnectionResetError:
                rest = b""
        return rest, monotonic() - began_at

    async def answer(self, ends_with: bytes) -> bytes:
        async with asyncio.timeout(LATE_SECONDS):
            return await self.reader.readuntil(ends_with)

    async def dribble(self, piece: bytes) -> None:
        """Send it again and again until the connection has ended."""
        while not self.reader.at_eof():
            self.writer.write(piece)
            await asyncio.sleep(BOUND_SECONDS / 10)


@pytest.mark.parametrize("begun", [b"", b"GET", b"GET / HTTP/1.1\r\nX-A: "])
async def test_a_connection_on_which_no_whole_head_comes_ends(app: FastAPI, begun: bytes) -> None:
    async with serving(app) as connect:
        client = await connect()
        client.writer.write(begun)
        rest, seconds = await client.end()
        assert seconds >= BOUND_SECONDS * 0.9
        assert rest.startswith(b"HTTP/1.1 408 Request Timeout\r\n") if begun else rest == b""


@pytest.mark.parametrize("piece", [b"X-A: 1\r\n", b"\r\n"])
@pytest.mark.parametrize("before", [b"", HEAD + b"\r\n"])
async def test_a_head_that_comes_drop_by_drop_does_not_hold_a_connection(
    app: FastAPI, before: bytes, piece: bytes
) -> None:
    async with serving(app) as connect:
        client = await connect()
        if before:
            client.writer.write(before)
            await client.answer(b'"here"')
        client.writer.write(HEAD if piece.startswith(b"X") else b"")
        dribbling = asyncio.create_task(client.dribble(piece))
        await client.end()
        dribbling.cancel()


async def test_a_head_may_come_in_pieces_and_a_kept_connection_may_rest(app: FastAPI) -> None:
    async with serving(app) as connect:
        client = await connect()
        for _ in range(3):
            for piece in (HEAD[:10], HEAD[10:], b"\r\n"):
                client.writer.write(piece)
                await asyncio.sleep(BOUND_SECONDS / 10)
            assert (await client.answer(b'"here"')).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(BOUND_SECONDS * 2)
        client.writer.write(HEAD + b"\r\n")
        assert (await client.answer(b'"here"')).startswith(b"HTTP/1.1 200")


async def test_a_slow_body_and_a_slow_answer_are_no_slow_head(app: FastAPI) -> None:
    async with serving(app) as connect:
        client = await connect()
        client.writer.write(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\n")
        for piece in (b"s", b"l", b"o", b"w"):
            await asyncio.sleep(BOUND_SECONDS / 2)
            client.writer.write(piece)
        assert (await client.answer(b"\r\n\r\n4")).startswith(b"HTTP/1.1 200")
        client.writer.write(HEAD.replace(b"/ ", b"/slow ") + b"\r\n" + HEAD)  # and the next head has begun already
        assert (await client.answer(b"0\r\n\r\n")).startswith(b"HTTP/1.1 200")
        client.writer.write(b"\r\n")
        assert (await client.answer(b'"here"')).startswith(b"HTTP/1.1 200")
