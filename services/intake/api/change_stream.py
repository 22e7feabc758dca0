"""The stream of changes as server-sent events: what one reader is sent, and when the reader is let go."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Response
from starlette.types import Receive, Scope, Send

from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.recent_changes import Stretch
from services.intake.store.changes import Mark, RequestChange, Whereabouts
from shared.clock import monotonic
from shared.contracts.envelope import format_instant
from shared.errors import Retryable
from shared.http import Problem

HEARTBEAT_SECONDS = 15.0
"""Proxies close what says nothing for 30 or 60 seconds."""

BELIEVED_SECONDS = 15.0
"""How long a caller is believed who was recognised: a key may be revoked and a token ends while a stream goes on."""

PATIENCE_SECONDS = 10.0
"""How long one write may wait for a reader that takes nothing."""

_ID = re.compile(r"([0-9]{1,18})-([0-9a-f]{32})-([0-9]{1,9})")
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the second keeps nginx from holding events back


@dataclass(frozen=True, slots=True)
class Watched:
    """What a reader wants to see; None asks for nothing.

    Attributes:
        visibility: which requests the caller sees.
    """

    visibility: Visibility = EVERYTHING
    team: str | None = None
    stage: str | None = None
    kind: str | None = None

    def write(self, change: RequestChange) -> str:
        """The event of a change; nothing where the request was none of those watched, before, after and now."""
        if self._has(change, change.now):
            return write_event(change)
        if self._has(change, change.before) or self._has(change, change.after):
            return write_gone(change)
        return ""

    def _has(self, change: RequestChange, at: Whereabouts) -> bool:
        return (
            self.visibility.shows(change.channel, at.team)
            and self.team in {None, at.team}
            and self.stage in {None, at.stage}
            and self.kind in {None, change.kind}
        )


def write_id(mark: Mark) -> str:
    return f"{mark.transaction_id}-{mark.request_id.hex}-{mark.sequence}"


def read_id(text: str) -> Mark | None:
    """None for what was never given out."""
    found = _ID.fullmatch(text)
    return None if found is None else Mark(int(found[1]), UUID(found[2]), int(found[3]))


def write_event(change: RequestChange) -> str:
    """Of a request that is among those watched."""
    data = {
        "reference": change.reference,
        "id": str(change.request_id),
        "version": change.version,
        "kind": change.kind,
        "state": change.state,
        "stage": change.now.stage,
        "team": change.now.team,
        "change": {
            "type": change.type,
            "sequence": change.sequence,
            "recorded_at": format_instant(change.recorded_at),
        },
    }
    return _write("request", change, data)


def write_gone(change: RequestChange) -> str:
    """Of one that was among those watched and is not any more; of where it went nothing is said."""
    return _write("gone", change, {"reference": change.reference, "id": str(change.request_id)})


def _write(event: str, change: RequestChange, data: Mapping[str, object]) -> str:
    return f"event: {event}\nid: {write_id(change.mark)}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


class ChangeStream(Response):
    """Args:
    caller: as whom the feed admitted the reader.
    mark: where the reader goes on.
    recognise: who reads, asked again now and then; raises Problem when the credentials are not good any more.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        caller: str,
        watched: Watched,
        mark: Mark,
        recognise: Callable[[], Awaitable[object]],
        *,
        believed_seconds: float = BELIEVED_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(None, 200, _HEADERS, "text/event-stream")
        self._feed = feed
        self._caller = caller
        self._watched = watched
        self._mark = self._told = self._nameless = mark
        self._recognise = recognise
        self._recognised_at = monotonic()
        self._believed_seconds = believed_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._patience_seconds = patience_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  as ASGI has it
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        telling = asyncio.ensure_future(self._tell(send, headers))
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.leave(self._caller)
            telling.cancel()
            leaving.cancel()
            results = await asyncio.gather(telling, leaving, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _tell(self, send: Send, headers: Sequence[tuple[bytes, bytes]]) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        last_words = ": the service stops; go on with Last-Event-ID\n\n"
        try:
            await self._write(send, f"retry: 2000\nid: {write_id(self._told)}\n\n")
            while not self._feed.is_stopping:
                if monotonic() - self._recognised_at >= self._believed_seconds:
                    await self._recognise()
                    self._recognised_at = monotonic()
                stretch = await self._feed.after(self._mark)
                if not stretch.changes:
                    await self._feed.wait(self._heartbeat_seconds)
                    stretch = await self._feed.after(self._mark)
                await self._write(send, self._pass(stretch))
        except TimeoutError:
            last_words = ": too slow; go on with Last-Event-ID\n\n"
        except Problem:
            last_words = ": the credentials are not good any more; come with others, and Last-Event-ID\n\n"
        except Retryable:
            last_words = ": the log cannot be read just now; go on with Last-Event-ID\n\n"
        try:
            async with asyncio.timeout(self._patience_seconds):
                await send({"type": "http.response.body", "body": last_words.encode(), "more_body": False})
        except TimeoutError:
            return

    def _pass(self, stretch: Stretch) -> str:
        """What the reader is told of these changes.

        What it does not want is behind it too, so that it need not be read again after a break; but the id that says so
        names none of that, as there may be requests among it that the caller must not know of.
        """
        written = [(change.mark, text) for change in stretch.changes if (text := self._watched.write(change))]
        if stretch.changes:
            self._mark = stretch.changes[-1].mark
            self._nameless = stretch.nameless_end
        if written:
            self._told = written[-1][0]
            return "".join(text for _, text in written)
        self._told = max(self._told, self._nameless)
        return f": alive\nid: {write_id(self._told)}\n\n"

    async def _write(self, send: Send, text: str) -> None:
        """
        Raises:
            TimeoutError: the reader takes nothing.
        """
        async with asyncio.timeout(self._patience_seconds):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
