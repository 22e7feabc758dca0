"""Stands between intake and Postgres, sees each COMMIT pass, and may do to it and to its answer what networks do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

_CHUNK = 65_536
_START_UP = 196_608  # version 3.0 of the protocol; other codes ask for encryption, which the server declines


class Passage(Enum):
    """What becomes of a COMMIT.

    Members:
        PASS: it is told of, nothing more.
        HOLD: Postgres commits; its answer waits here until ``release``.
        SWALLOW: it never reaches Postgres, and the caller waits.
        CUT: Postgres commits; instead of the answer the connection ends.
        DROP: it never reaches Postgres, and the connection ends.
    """

    PASS = auto()
    HOLD = auto()
    SWALLOW = auto()
    CUT = auto()
    DROP = auto()


class DatabaseProxy:
    """Listens on a port of its own. Only transactions in which ``mark`` was sent are looked at.

    Args:
        port: of Postgres, on this machine.

    Attributes:
        port: where to connect instead.
        mark: bytes that the interesting transactions carry, such as the beginning of their idempotency keys.
    """

    def __init__(self, port: int, mark: bytes) -> None:
        self.mark = mark
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._choosing = threading.Lock()
        self._wish: Passage | None = None
        self._met = threading.Event()
        self._released = threading.Event()
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.release()

    def meet(self, wish: Passage) -> threading.Event:
        """Do this to the next COMMIT. The event is set when it is done: for HOLD and CUT, Postgres has committed."""
        with self._choosing:
            self._met = threading.Event()
            self._released.clear()
            self._wish = wish
            return self._met

    def release(self) -> None:
        """Let go what is held."""
        self._released.set()

    def take_wish(self) -> tuple[Passage, threading.Event] | None:
        """What to do to the COMMIT at hand; each wish is for one."""
        with self._choosing:
            wish, self._wish = self._wish, None
            return None if wish is None else (wish, self._met)

    def wait_for_release(self) -> None:
        self._released.wait(60)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Pair(self, client, server).start()


class _Pair:
    """One connection of intake, and ours to Postgres in its stead."""

    def __init__(self, proxy: DatabaseProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._passage = Passage.PASS
        self._met = threading.Event()

    def start(self) -> None:
        for work in (self._upwards, self._downwards):
            threading.Thread(target=self._run, args=(work,), name="proxied", daemon=True).start()

    def _run(self, work: Callable[[], None]) -> None:
        with suppress(OSError):
            work()
        self._end()

    def _end(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _upwards(self) -> None:
        rest, has_begun, is_marked = b"", False, False
        while chunk := self._client.recv(_CHUNK):
            rest += chunk
            passing = b""  # sent at once, as it came
            while (size := _size_of_first(rest, has_begun)) is not None:
                message, rest = rest[:size], rest[size:]
                if not has_begun:
                    has_begun = struct.unpack_from("!i", message, 4)[0] == _START_UP
                elif message.startswith(b"Q") and message[5:].upper().startswith(b"BEGIN"):
                    is_marked = False
                elif is_marked and message.startswith(b"Q") and message[5:].upper().startswith(b"COMMIT"):
                    is_marked = False
                    self._passage, self._met = self._proxy.take_wish() or (Passage.PASS, threading.Event())
                    if self._passage not in (Passage.HOLD, Passage.CUT):
                        self._met.set()
                    if self._passage is Passage.DROP:
                        return
                    if self._passage is Passage.SWALLOW:
                        continue
                elif self._proxy.mark in message:
                    is_marked = True
                passing += message
            self._server.sendall(passing)

    def _downwards(self) -> None:
        while chunk := self._server.recv(_CHUNK):
            if self._passage is Passage.CUT:
                self._met.set()
                return
            if self._passage is Passage.HOLD:
                self._met.set()
                self._proxy.wait_for_release()
                self._passage = Passage.PASS
            self._client.sendall(chunk)


def _size_of_first(data: bytes, has_begun: bool) -> int | None:
    """Bytes of the first message, None while it is not whole. Before the start-up is over messages have no type."""
    before = 1 if has_begun else 0
    if len(data) < before + 4:
        return None
    size: int = before + struct.unpack_from("!i", data, before)[0]
    return size if len(data) >= size else None
