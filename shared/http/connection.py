"""A connection of HTTP: uvicorn's, and bounds on how long a client may take to say what it wants, and how many bytes.

Bodies have bounds of their own, and a connection that rests between two calls is closed by uvicorn. It does not look
at a head that never becomes whole, nor at a new connection on which nothing comes. Nor does its parser bound a head:
each piece of a header is put behind those before it, so that a long one in small pieces costs the square of its length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 15.0
"""Real time that the head of a request may take to come. It is some hundred bytes; what comes over the worst of mobile
lines is repeated within seconds."""

HEAD_BYTES = 32 * 1024
"""Of the request line and the headers, and of the trailers of a body. A token of an issuer that names many groups may
have 16 KB; what proxies let through by themselves is less than this."""

_PIECE = 8 * 1024
"""Bytes that are parsed before they are counted: a head or trailers that begin behind something else in the same piece
may be longer than the bound by so many."""

_ABORT = "abort_connection"

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """A head that comes at once, as nearly every one does, costs some comparisons and no timer.

    Attributes:
        head_seconds: from the first byte of a head to its last one; of the first head also from the connection on.
    """

    head_seconds = HEAD_SECONDS
    _late: asyncio.TimerHandle | None = None
    _fruitless = 0
    """Bytes in a row that neither ended a head or a message nor belonged to a body: those of a head or of trailers."""
    _is_fruitful = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._late = self.loop.call_later(self.head_seconds, self._end)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][_ABORT] = self.transport.abort

    def data_received(self, data: bytes) -> None:
        at = 0
        while at < len(data) and not self.transport.is_closing():
            piece = data[at : at + min(_PIECE, HEAD_BYTES - self._fruitless)]
            at += len(piece)
            self._is_fruitful = False
            super().data_received(piece)
            self._fruitless = 0 if self._is_fruitful else self._fruitless + len(piece)
            if self._fruitless == HEAD_BYTES:
                self._refuse()
        if self._is_answering and not self._is_in_head:
            if self._late is not None:
                self._late.cancel()
                self._late = None
        elif self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self._end)

    def on_headers_complete(self) -> None:
        self._is_fruitful = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._is_fruitful = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_fruitful = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        super().connection_lost(exc)

    @property
    def _newest(self) -> RequestResponseCycle | None:
        """The last request whose head is whole. uvicorn's types leave out that there may be none yet."""
        return self.cycle

    @property
    def _is_answering(self) -> bool:
        return (newest := self._newest) is not None and not newest.response_complete

    @property
    def _is_in_head(self) -> bool:
        """A scope is made at the first byte of a head, a cycle at its end."""
        scope: object = self.scope
        return scope is not (None if (newest := self._newest) is None else newest.scope)

    def _refuse(self) -> None:
        """Close; say why only where it cannot be taken for the answer to a request before, nor falls into an answer."""
        newest = self._newest
        if self._is_in_head:
            is_next = not self._is_answering
        else:
            is_next = newest is not None and not newest.response_started and not self.pipeline
        if is_next and not self.transport.is_closing():
            self.transport.write(_TOO_LONG)
        self.transport.close()

    def _end(self) -> None:
        self._late = None
        if self._is_answering:  # to what came before; then what rests too long is closed, and new bytes come back here
            return
        if self._is_in_head and not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
        self.transport.close()


def abort_connection(scope: Scope) -> None:
    """End the connection of a call at once. Closing it would wait until its client has taken what was written.

    Under another server, such as that of a test, the call just ends.
    """
    abort: Callable[[], None] | None = scope.get("state", {}).get(_ABORT)
    if abort is not None:
        abort()


def bounded(head_seconds: float) -> type[Connection]:
    """Connections with another bound; uvicorn makes them by itself."""
    return type("BoundedConnection", (Connection,), {"head_seconds": head_seconds})
