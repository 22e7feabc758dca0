"""A batch as the server's protocol sees it: pieces go in and come out whenever the test says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from starlette.types import Message

from shared.ids import new_id
from tests.integration.intake.front_door import SUBMISSION

NDJSON = {"Content-Type": "application/x-ndjson"}
PATH = "/v1/requests:batch"


def line(key: str | None = None, **changes: Any) -> bytes:
    """A line, its end included."""
    return json.dumps({"idempotency_key": key or new_id().hex} | SUBMISSION | changes).encode() + b"\n"


class BatchCall:
    """Attributes:
    asked: how often the application asked for a piece.
    taking: cleared, the client takes no more answers.
    """

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[Message] = asyncio.Queue()
        self._received = b""
        self._more = asyncio.Event()
        self._has_asked = asyncio.Event()
        self.asked = 0
        self.taking = asyncio.Event()
        self.taking.set()

    def send(self, piece: bytes, *, is_last: bool = False) -> None:
        self._pieces.put_nowait({"type": "http.request", "body": piece, "more_body": not is_last})

    def leave(self) -> None:
        self._pieces.put_nowait({"type": "http.disconnect"})

    async def until_asked(self, times: int) -> None:
        while self.asked < times:
            self._has_asked.clear()
            await self._has_asked.wait()

    async def answer(self) -> dict[str, Any]:
        """The next line of the answer."""
        while b"\n" not in self._received:
            self._more.clear()
            await self._more.wait()
        text, _, self._received = self._received.partition(b"\n")
        return cast("dict[str, Any]", json.loads(text))

    @property
    def rest(self) -> list[dict[str, Any]]:
        """What came and was not asked for yet."""
        return [json.loads(text) for text in self._received.splitlines()]

    async def receive(self) -> Message:
        self.asked += 1
        self._has_asked.set()
        return await self._pieces.get()

    async def take(self, message: Message) -> None:
        await self.taking.wait()
        self._received += message.get("body", b"")
        self._more.set()


@asynccontextmanager
async def begun(client: httpx.AsyncClient) -> AsyncIterator[tuple[BatchCall, asyncio.Task[None]]]:
    """A call to the client's application, and the task that ends with the call."""
    transport = cast("httpx.ASGITransport", client._transport)
    headers = {**client.headers, **{name.lower(): value for name, value in NDJSON.items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("intake", 80),
        "client": ("test", 1),
    }
    call = BatchCall()
    task = asyncio.ensure_future(cast("Any", transport.app)(scope, call.receive, call.take))
    try:
        yield call, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
