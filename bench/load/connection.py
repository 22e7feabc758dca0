"""A keep-alive HTTP/1.1 client connection that costs a few microseconds per request, so that the server is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class BrokenAnswer(Exception):
    """The server sent something this client does not read, such as a chunked body."""


class Connection(asyncio.Protocol):
    """One request at a time.

    Args:
        on_answer: gets this connection, the status and the body; it may send the next request at once.
        on_lost: gets this connection when it ends, for whatever reason.
    """

    def __init__(
        self, on_answer: Callable[[Connection, int, bytes], None], on_lost: Callable[[Connection], None]
    ) -> None:
        self._on_answer = on_answer
        self._on_lost = on_lost
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self._on_lost(self)

    def send(self, request: bytes) -> None:
        assert self._transport is not None, "not connected"
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end_of_head = self._received.find(_END_OF_HEAD)
        if end_of_head < 0:
            return
        begin = end_of_head + len(_END_OF_HEAD)
        end = begin + content_length(bytes(self._received[:begin]))
        if len(self._received) < end:
            return
        status = int(self._received[9:12])  # "HTTP/1.1 201"
        body = bytes(self._received[begin:end])
        del self._received[:end]
        self._on_answer(self, status, body)


def content_length(head: bytes) -> int:
    """
    Raises:
        BrokenAnswer: the head does not say how long the body is.
    """
    lower = head.lower()
    at = lower.find(_LENGTH)
    if at < 0:
        raise BrokenAnswer("an answer without Content-Length")
    at += len(_LENGTH)
    return int(lower[at : lower.index(b"\r", at)])


async def connect(host: str, port: int, count: int, make: Callable[[], Connection]) -> list[Connection]:
    """Open ``count`` connections."""
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(make, host, port))[1] for _ in range(count)]
