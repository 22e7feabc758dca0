"""Both streams of a batch: what one side does not take, the other does not give; and where to go on afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from socket import create_server
from typing import Any, cast

import httpx
import pytest

from services.intake.api import batch_stream
from services.intake.handlers.group_commit import GroupCommit
from shared.errors import DatabaseUnavailable
from shared.http import HttpServer
from shared.outbox import Outbox
from shared.postgres import Connection, Database
from tests.integration.intake.batch_call import NDJSON, PATH, begun, line
from tests.integration.intake.front_door import SUBMISSION, Gated, Intake

PROBLEM = "urn:punctual:problem:"


async def test_a_line_is_answered_before_the_next_is_sent(intake: Intake) -> None:
    async with begun(intake.app) as (call, task):
        for number in range(1, 6):
            call.send(line(f"step-{number}"))
            answer = await call.answer()
            assert (answer["line"], answer["status"]) == (number, 201)
        call.send(line("step-6").rstrip(), is_last=True)
        assert (await call.answer())["line"] == 6
        await task


async def test_while_the_answers_are_not_taken_no_more_lines_are_read_and_others_are_served(intake: Intake) -> None:
    pieces, lines = 100, 50
    async with begun(intake.app) as (call, task):
        call.taking.clear()
        for piece in range(pieces):
            call.send(b"".join(line(f"slow-{piece}-{number}") for number in range(lines)), is_last=piece == pieces - 1)
        for _ in range(100):
            await intake.submit()
        assert call.asked * lines < 3_000
        call.taking.set()
        answers = [await call.answer() for _ in range(pieces * lines)]
        await task
    assert [answer["line"] for answer in answers] == list(range(1, pieces * lines + 1))
    assert {answer["status"] for answer in answers} == {201}


async def test_a_line_that_a_leaving_client_had_not_finished_is_none(intake: Intake) -> None:
    async with begun(intake.app) as (call, task):
        call.send(line("whole") + line("unfinished").rstrip())
        assert (await call.answer())["line"] == 1
        call.leave()
        await task
    async with intake.database.connection() as connection:
        found = await connection.fetch("SELECT key FROM idempotency_key WHERE key IN ('whole', 'unfinished')")
    assert [row["key"] for row in found] == ["whole"]


async def test_what_was_taken_of_a_client_that_left_is_stored(intake: Intake) -> None:
    async with begun(intake.app) as (call, task):
        call.send(b"".join(line(f"left-{number}") for number in range(100)))
        call.leave()
        await task
    await intake.context.submissions.finish()
    async with intake.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM idempotency_key WHERE key LIKE 'left-%'") == 100


async def test_a_batch_in_which_nothing_comes_ends_with_the_line_to_resume_from(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_stream, "_IDLE_SECONDS", 0.2)
    async with begun(intake.app) as (call, task):
        for number in range(1, 4):
            call.send(line(f"idle-{number}"))
            assert (await call.answer())["status"] == 201
        last = await call.answer()
        await task
    assert (last["resume_from"], last["status"]) == (4, 408)


async def test_what_was_whole_is_stored_when_the_answers_are_never_taken(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_stream, "_IDLE_SECONDS", 0.5)
    async with begun(intake.app) as (call, task):
        call.taking.clear()
        call.send(b"".join(line(f"untaken-{number}") for number in range(100)))
        await task
    await intake.context.submissions.finish()
    async with intake.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM idempotency_key WHERE key LIKE 'untaken-%'") == 100


class _Backlog(Outbox):
    """An outbox that says how full it is when it is told."""

    waiting = 0

    def backlog(self) -> int:
        return self.waiting


async def test_an_outbox_that_stays_full_ends_the_batch_with_the_line_to_resume_from(intake: Intake) -> None:
    outbox = _Backlog(intake.database, intake.broker.publisher(), "intake")
    client = intake.with_context(outbox=outbox, batch_patience=timedelta(milliseconds=50), retry_after_seconds=7)
    lines = [line(f"full-{number}") for number in range(1, 9)]
    async with begun(client) as (call, task):
        call.send(b"\n" + b"".join(lines[:3]))
        assert [(await call.answer())["status"] for _ in range(3)] == [201] * 3
        outbox.waiting = 10**6
        call.send(b"".join(lines[3:5]))
        last = await call.answer()
        await task
    assert (last["resume_from"], last["status"], last["retry_after_seconds"]) == (5, 503, 7)
    assert last["problem"]["type"] == PROBLEM + "outbox_full"
    outbox.waiting = 0
    async with begun(client) as (call, task):
        call.send(b"".join(lines), is_last=True)
        answers = [await call.answer() for _ in lines]
        await task
    assert [answer.get("replayed", False) for answer in answers] == [True] * 3 + [False] * 5
    assert {answer["status"] for answer in answers} == {201}


async def test_an_outbox_that_is_full_for_a_while_is_waited_for(intake: Intake) -> None:
    outbox = _Backlog(intake.database, intake.broker.publisher(), "intake")
    async with begun(intake.with_context(outbox=outbox)) as (call, task):
        call.send(line())
        assert (await call.answer())["status"] == 201
        outbox.waiting = 10**6
        call.send(line(), is_last=True)
        await call.until_asked(2)
        assert not call.rest
        outbox.waiting = 0
        assert (await call.answer())["status"] == 201
        await task


class _GoesAway(Database):
    """Away from the third transaction on, until it is back."""

    begun = 0
    is_back = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self.begun += 1
        if self.begun > 2 and not self.is_back:
            raise DatabaseUnavailable("away")
        async with super().transaction() as connection:
            yield connection


async def test_a_database_that_goes_away_ends_the_batch_with_the_line_to_resume_from(intake: Intake) -> None:
    database = _GoesAway(intake.database._pool)
    client = intake.with_database(database)
    lines = [line(f"away-{number}") for number in range(1, 7)]
    async with begun(client) as (call, task):
        for number in (1, 2):
            call.send(lines[number - 1])
            assert (await call.answer())["status"] == 201
        call.send(lines[2])
        refused, last = await call.answer(), await call.answer()
        await task
    assert (refused["line"], refused["status"], refused["problem"]["type"]) == (3, 503, PROBLEM + "try_again")
    assert (last["resume_from"], last["status"]) == (3, 503)
    database.is_back = True
    async with begun(client) as (call, task):
        call.send(b"".join(lines[2:]), is_last=True)
        assert [(await call.answer())["status"] for _ in range(4)] == [201] * 4
        await task


async def test_a_stop_answers_what_was_taken_and_says_where_to_go_on(intake: Intake) -> None:
    submissions = GroupCommit(
        intake.database, intake.outbox, customer_keys=intake.context.customer_keys, key_patience=timedelta(seconds=5)
    )
    client = intake.connect(replace(intake.context, submissions=submissions), "app")
    stopping = asyncio.Event()
    running = asyncio.create_task(submissions.run(stopping))
    async with begun(client) as (call, task):
        call.send(b"".join(line(f"stop-{number}") for number in range(50)))
        assert (await call.answer())["status"] == 201
        stopping.set()
        await task
        await running
    *answers, last = call.rest
    assert {answer["status"] for answer in answers} <= {201}
    assert last["resume_from"] == len(answers) + 2
    assert last["problem"]["type"] == PROBLEM + "stopping"


async def test_a_real_server_streams_both_ways_and_stops_in_the_middle(intake: Intake) -> None:
    submissions = GroupCommit(
        intake.database, intake.outbox, customer_keys=intake.context.customer_keys, key_patience=timedelta(seconds=5)
    )
    client = intake.connect(replace(intake.context, submissions=submissions), "app")
    app: Any = cast("httpx.ASGITransport", client._transport).app
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    stopping = asyncio.Event()
    running = asyncio.gather(HttpServer(app, "127.0.0.1", port).run(stopping), submissions.run(stopping))
    reader, writer = await _connect(port)
    head = {"Host": "x", "Authorization": "Bearer key of app", "Transfer-Encoding": "chunked", **NDJSON}
    writer.write(f"POST {PATH} HTTP/1.1\r\n".encode())
    writer.write("".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n")
    for number in (1, 2):
        _write_chunk(writer, line(f"socket-{number}"))
        assert json.loads(await _read_until(reader, b'{"line"'))["line"] == number
    _write_chunk(writer, line("socket-3"))
    assert json.loads(await _read_until(reader, b'{"line"'))["line"] == 3
    stopping.set()
    assert json.loads(await _read_until(reader, b'{"resume_from"'))["resume_from"] == 4
    await running
    writer.close()


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0)


def _write_chunk(writer: asyncio.StreamWriter, piece: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))


async def _read_until(reader: asyncio.StreamReader, begin: bytes) -> bytes:
    while not (text := await reader.readline()).startswith(begin):
        assert text
    return text


async def test_a_crowded_queue_leaves_room_for_single_requests(intake: Intake) -> None:
    gated = Gated(intake.database._pool)
    client = intake.with_context(
        database=gated, outbox=Outbox(gated, intake.broker.publisher(), "intake"), queue_limit=20
    )
    async with begun(client) as (call, task):
        call.send(b"".join(line(f"crowd-{number}") for number in range(100)), is_last=True)
        await call.until_asked(1)
        single = asyncio.ensure_future(
            client.post("/v1/requests", json=SUBMISSION, headers={"Idempotency-Key": "crowd-single"})
        )
        gated.gate.set()
        assert (await single).status_code == 201
        assert [(await call.answer())["status"] for _ in range(100)] == [201] * 100
        await task
