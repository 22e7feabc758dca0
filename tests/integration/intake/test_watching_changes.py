"""The stream of changes: nothing is missed, nothing comes twice, and no reader costs more than its share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from services.intake.api.change_stream import ChangeStream, Watched, read_id
from services.intake.domain.moves import Acknowledge
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.handlers.asking import Asking
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.store.changes import Mark, read_changes
from shared.http import Problem
from shared.postgres import Connection, Database
from tests.integration.intake.front_door import Intake


class Reader:
    """The client's side of one stream, spoken to over ASGI."""

    def __init__(self, stream: ChangeStream) -> None:
        self._stream = stream
        self._chunks: asyncio.Queue[str] = asyncio.Queue()
        self.is_taking = asyncio.Event()
        self.is_taking.set()
        self.last_id = ""
        self.comments: list[str] = []
        self.task: asyncio.Task[None]
        self.events: list[dict[str, Any]] = []

    async def run(self) -> None:
        async def never() -> dict[str, Any]:
            await asyncio.Event().wait()
            return {}

        async def take(message: Any) -> None:
            if message["type"] == "http.response.body":
                self._chunks.put_nowait(message["body"].decode())
                await self.is_taking.wait()

        await self._stream({"type": "http"}, never, take)

    async def event(self) -> dict[str, Any]:
        """The next event; comments and bare ids are noted on the way."""
        while True:
            async with asyncio.timeout(10):
                await self._next()
            if self.events:
                return self.events.pop(0)

    async def _next(self) -> None:
        if self.events:
            return
        for block in (await self._chunks.get()).split("\n\n"):
            for line in block.splitlines():
                if line.startswith(":"):
                    self.comments.append(line)
                elif line.startswith("id: "):
                    self.last_id = line.removeprefix("id: ")
                elif line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append({"event": name} | json.loads(line.removeprefix("data: ")))

    async def end(self) -> None:
        """Everything up to the end of the stream."""
        async with asyncio.timeout(10):
            await self.task
        while not self._chunks.empty():
            await self._next()


async def _still_good() -> None:
    """The caller is recognised again."""


async def _revoked() -> None:
    raise Problem(401, "credentials_required", "The key was revoked")


@asynccontextmanager
async def watching(
    feed: ChangeFeed,
    mark: Mark,
    watched: Watched | None = None,
    recognise: Callable[[], Awaitable[object]] | None = None,
    **limits: float,
) -> AsyncIterator[Reader]:
    assert feed.admit("key:app")
    reader = Reader(ChangeStream(feed, "key:app", watched or Watched(), mark, recognise or _still_good, **limits))
    reader.task = asyncio.create_task(reader.run())
    yield reader
    reader.task.cancel()
    await asyncio.gather(reader.task, return_exceptions=True)


@pytest.fixture
async def feed(intake: Intake) -> AsyncIterator[ChangeFeed]:
    stopping = asyncio.Event()
    running = asyncio.create_task(intake.context.feed.run(stopping))
    yield intake.context.feed
    stopping.set()
    await running


def told(event: dict[str, Any]) -> tuple[str, str, int]:
    return event["reference"], event["change"]["type"], event["change"]["sequence"]


async def test_changes_come_as_they_are_made_and_only_those_asked_for(intake: Intake, feed: ChangeFeed) -> None:
    mark = await feed.newest()
    async with watching(feed, mark) as all_, watching(feed, mark, Watched(team="claims_hk")) as team:
        view = await intake.submit()
        reference = view["reference"]
        assert told(await all_.event()) == (reference, "submitted", 1)
        await intake.submit(kind="enquiry")
        await intake.move(reference, "assign", team="claims_hk")
        assert (await all_.event())["kind"] == "enquiry"
        event = await all_.event()
        assert told(event) == (reference, "assigned", 2)
        assert (event["id"], event["version"], event["team"], event["state"]) == (view["id"], 2, "claims_hk", "open")
        assert (await team.event())["team"] == "claims_hk"
    async with watching(feed, mark, Watched(Visibility(channel="web"))) as other:
        await intake.submit()
        feed.stop()
        await other.end()
        assert other.events == []


async def test_a_transaction_that_commits_late_is_told_before_those_that_began_after_it(intake: Intake) -> None:
    late, early = [(await intake.submit())["reference"] for _ in range(2)]
    mark = await intake.context.feed.newest()

    async def changes() -> list[str]:
        async with intake.database.connection() as connection:
            return [change.reference for change in await read_changes(connection, mark, 10)]

    async with intake.database.transaction() as connection:
        await intake.context.moving.perform(connection, late, Acknowledge(), Asking("app", EVERYTHING))
        await intake.move(early, "acknowledge")
        assert await changes() == [], "what began before it could still appear"
    assert await changes() == [late, early]


async def test_nothing_is_missed_or_told_twice_by_readers_of_two_processes(intake: Intake, feed: ChangeFeed) -> None:
    other = ChangeFeed(intake.database)
    stopping = asyncio.Event()
    running = asyncio.create_task(other.run(stopping))
    mark = await feed.newest()

    async def a_life() -> None:
        reference = (await intake.submit())["reference"]
        for _ in range(3):
            await intake.move(reference, "note", text="x")

    async with watching(feed, mark) as one, watching(other, mark) as two:
        await asyncio.gather(*(a_life() for _ in range(20)))
        seen = [[told(await reader.event()) for _ in range(80)] for reader in (one, two)]
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 80
    stopping.set()
    await running


async def test_a_reader_goes_on_where_it_was(intake: Intake, feed: ChangeFeed) -> None:
    async with watching(feed, await feed.newest()) as reader:
        first = (await intake.submit())["reference"]
        assert told(await reader.event())[0] == first
    second = (await intake.submit())["reference"]
    mark = read_id(reader.last_id)
    assert mark is not None
    async with watching(feed, mark) as again:
        assert told(await again.event())[0] == second


async def test_a_request_that_is_none_of_those_watched_any_more_is_told_as_gone(
    intake: Intake, feed: ChangeFeed
) -> None:
    mark = await feed.newest()
    a_s = Visibility(teams=frozenset({"team_a"}))
    watched = [Watched(team="team_a"), Watched(a_s), Watched(a_s, team="team_a"), Watched(stage="received")]
    view = await intake.submit()
    reference = view["reference"]
    gone = {"event": "gone", "reference": reference, "id": view["id"]}
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(watching(feed, mark, one)) for one in watched]
        for reader in (readers[1], readers[3]):
            assert told(await reader.event()) == (reference, "submitted", 1)
        await intake.move(reference, "assign", team="team_a")
        for reader in readers:
            assert told(await reader.event()) == (reference, "assigned", 2)
        await intake.move(reference, "assign", team="team_b")
        for reader in readers[:3]:
            assert await reader.event() == gone
        assert told(await readers[3].event()) == (reference, "assigned", 3)
        left_at = readers[3].last_id
        await intake.move(reference, "stage", stage="assessment")
        assert await readers[3].event() == gone
        feed.stop()
        for reader in readers:
            await reader.end()
            assert reader.events == []
    again = ChangeFeed(intake.database)
    last = read_id(left_at)
    assert last is not None
    async with watching(again, last, watched[3]) as reader:
        assert await reader.event() == gone


async def test_a_reader_that_takes_nothing_is_let_go(intake: Intake, feed: ChangeFeed) -> None:
    async with watching(feed, await feed.newest(), patience_seconds=0.05) as reader:
        reader.is_taking.clear()
        await intake.submit()
        await reader.end()
    assert reader.comments[-1].startswith(": too slow")
    assert feed.readers.total() == 0


async def test_silence_is_filled_with_comments_and_a_stop_ends_the_stream(feed: ChangeFeed) -> None:
    async with watching(feed, await feed.newest(), heartbeat_seconds=0.01) as reader:
        while ": alive" not in reader.comments:
            async with asyncio.timeout(10):
                await reader._next()
        feed.stop()
        await reader.end()
    assert reader.comments[-1].startswith(": the service stops")


async def test_one_reader_too_many_and_an_id_that_was_never_given_out_are_refused(intake: Intake) -> None:
    for bounds in ({"most_readers": 0}, {"most_of_one": 0}):
        client = intake.with_context(feed=ChangeFeed(intake.database, **bounds))
        answer = await client.get("/v1/changes")
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:punctual:problem:too_many_readers")
        assert answer.headers["Retry-After"]
    answer = await client.get("/v1/changes", headers={"Last-Event-ID": "7731"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header:Last-Event-ID")


async def test_a_stream_ends_when_the_caller_is_not_recognised_any_more(intake: Intake, feed: ChangeFeed) -> None:
    mark = await feed.newest()
    async with watching(feed, mark, recognise=_revoked, believed_seconds=0) as reader:
        await intake.submit()
        await reader.end()
    assert reader.events == []
    assert reader.comments[-1].startswith(": the credentials are not good any more")


class Counted(Database):
    """Knows how many connections were out at once."""

    out = most_out = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.out += 1
        self.most_out = max(self.most_out, self.out)
        try:
            async with super().connection() as connection:
                yield connection
        finally:
            self.out -= 1


async def test_readers_who_are_behind_take_two_connections_and_no_more(intake: Intake) -> None:
    await intake.submit()
    database = Counted(intake.database._pool)
    feed = ChangeFeed(database)
    stretches = await asyncio.gather(*(feed.after(Mark(0)) for _ in range(40)))
    assert all(stretch.changes for stretch in stretches)
    assert database.most_out == 2
