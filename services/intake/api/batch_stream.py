"""The two streams of a batch. Lines are read only as fast as they are stored and as their answers are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from fastapi import Response
from starlette.types import Receive, Scope, Send

from services.intake.api.answers import REPLAYED
from services.intake.api.arrivals import (
    Keyed,
    examine,
    make_arrival,
    name_submission,
    repeated,
    submission_instant,
    tally_refusal,
)
from services.intake.api.batch_answers import Answer, Answers, NotTaken, pass_on
from services.intake.api.batch_keys import KeysInUse
from services.intake.api.batch_lines import (
    Halt,
    accepted_line,
    last_line,
    line_too_long,
    nothing_came,
    read_line,
    refusal_of_line,
    refused_line,
    stored_part,
)
from services.intake.api.context import Context, fingerprint, outbox_full
from services.intake.api.lines import Line, LineSplitter
from services.intake.api.problems import overloaded, stopping
from services.intake.api.rate_limits import too_many_calls
from services.intake.domain.anomalies.likeness import Duplicate
from services.intake.domain.record import open_record
from services.intake.handlers.offers import Outcome
from services.intake.store.submissions import Arrival
from shared.clock import monotonic
from shared.errors import DatabaseUnavailable, Retryable
from shared.http import Problem, abort_connection, failure, unavailable
from shared.http.access import Principal
from shared.telemetry.context import Trace
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

NDJSON = "application/x-ndjson"

_LINES_AT_A_STRETCH = 32  # some milliseconds, after which other calls have their turn
_IDLE_SECONDS = 120.0  # no byte comes, or none is taken; a client that is gone without a word holds nothing for longer
_BELIEVED_SECONDS = 2.0  # a batch may take hours, and a revocation holds within seconds
_LOOK_AGAIN_SECONDS = 0.1  # the backlog is counted once a second


class BatchStream(Response):
    """Not the framework's own streaming answer: that one reads the rest of the body to learn of a disconnect."""

    def __init__(
        self,
        path: str,
        channel: str,
        caller: Principal,
        context: Context,
        trace: Trace,
        recognise: Callable[[], Awaitable[Principal]],
    ) -> None:
        """Args:
        recognise: who calls, asked again now and then; raises Problem when the key is not good any more.
        """
        super().__init__(media_type=NDJSON)
        del self.headers["content-length"]
        self._path = path
        self._channel = channel
        self._caller = caller
        self._context = context
        self._trace = trace
        self._recognise = recognise
        self._recognised_at = monotonic()
        self._answers = Answers()
        self._keys = KeysInUse(context.retry_after_seconds)
        self._has_answer = asyncio.Event()
        self._next = 1
        self._halt: Halt | None = None
        self._is_gone = False
        self._is_read = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = asyncio.create_task(self._read(receive))
        watching = asyncio.create_task(self._watch_for_stop())
        try:
            await self._write(partial(pass_on, send, _IDLE_SECONDS), reading)
        except NotTaken:
            _log.warning("a batch was ended because its answers were not taken", channel=self._channel, line=self._next)
            abort_connection(scope)
        finally:
            for task in (reading, watching):
                task.cancel()
            await asyncio.gather(reading, watching, return_exceptions=True)

    async def _read(self, receive: Receive) -> None:
        """Until the end of the body, a halt, or the client is gone; a line it had not finished is none then."""
        splitter = LineSplitter(self._context.line_limit)
        try:
            has_more = True
            while has_more and self._halt is None:
                try:
                    async with asyncio.timeout(_IDLE_SECONDS):
                        message = await receive()
                except TimeoutError:
                    self._halt_at(self._next, nothing_came(_IDLE_SECONDS))
                    return
                if message["type"] == "http.disconnect":
                    self._is_gone = True
                    return
                has_more = message.get("more_body", False)
                for line in splitter.feed(message.get("body", b"")):
                    await self._take(line)
                if not has_more:
                    for line in splitter.close():
                        await self._take(line)
        finally:
            self._is_read = True
            self._has_answer.set()

    async def _take(self, line: Line) -> None:
        await self._answers.place()
        if line.number % _LINES_AT_A_STRETCH == 0:
            await asyncio.sleep(0)
        if self._halt is None and (problem := await self._wait_for_turn()):
            self._halt_at(line.number, problem)
        if self._halt is None:
            await self._take_in(line)

    async def _take_in(self, line: Line) -> None:
        try:
            answer = await self._answer(line)
        except Retryable as error:
            self._halt_at(line.number, unavailable(error, self._context.retry_after_seconds))
            return
        if self._halt is None:  # else it came while the line waited for its key; nothing of the line was stored now
            self._next = line.number + 1
            self._answers.add(answer)
            self._has_answer.set()

    async def _wait_for_turn(self) -> Problem | None:
        """A line counts as a call of its key; the problem if the key has ended, its turn or room does not come."""
        context = self._context
        if monotonic() - self._recognised_at >= _BELIEVED_SECONDS:
            try:
                await self._recognise()
            except Problem as problem:
                return problem
            except Retryable as error:
                return unavailable(error, context.retry_after_seconds)
            self._recognised_at = monotonic()
        verdict = context.limits.take(self._caller, is_of_batch=True)
        if verdict is not None and not verdict.is_granted:
            refusal = await context.limits.wait(self._caller, context.batch_patience)
            if refusal is not None:
                return too_many_calls(refusal)
        return await self._wait_for_room() if context.is_outbox_full or context.submissions.is_crowded else None

    async def _wait_for_room(self) -> Problem | None:
        """Wait while the outbox or the queue is too full; the problem if that takes too long."""
        context = self._context
        try:
            async with asyncio.timeout(context.batch_patience.total_seconds()):
                while context.is_outbox_full or context.submissions.is_crowded:
                    await context.submissions.room()
                    if context.is_outbox_full:
                        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            full = outbox_full if context.is_outbox_full else overloaded
            return full(context.retry_after_seconds)
        return None

    async def _answer(self, line: Line) -> Answer:
        """Waits for nothing when the line is offered to be taken in, and is the first with its key.

        Raises:
            Retryable: nobody can say now whether the line, or the one that its key is of, was accepted before.
        """
        key = None
        try:
            if line.content is None:
                raise line_too_long(self._context.line_limit)
            body = read_line(line.content)
            key = body.idempotency_key
            await self._keys.turn(key, body.customer.id)
            if self._halt is not None:
                return Answer(line.number, key, b"")  # dropped: it was not offered
            keyed = Keyed(key, fingerprint("POST", self._path, line.content))
            now = self._context.clock.now()
            try:
                submitted_at = submission_instant(body, now)
                examined = examine(body, self._channel, self._context, submitted_at, now)
            except Problem as problem:
                before = await repeated(problem, self._channel, keyed, self._context, self._context.batch_patience)
                return Answer(line.number, key, accepted_line(line.number, key, before))
        except Problem as problem:
            return Answer(line.number, "", self._refused(line.number, key, problem))

        def make(duplicates: Sequence[Duplicate] = ()) -> Arrival:
            submission = name_submission(body, self._channel, self._context, submitted_at, now)
            part = stored_part(submission.reference, submission.request_id)
            record = open_record(submission, examined.doubted(duplicates))
            return make_arrival(record, submission, examined, keyed, part, self._context)

        offer = self._context.submissions.offer
        answer = Answer(line.number, key, offer(make, len(line.content), self._trace, is_of_batch=True))
        self._keys.add(answer, body.customer.id)
        return answer

    async def _watch_for_stop(self) -> None:
        await self._context.submissions.stopping.wait()
        self._halt_at(self._next, stopping(self._context.retry_after_seconds))

    def _halt_at(self, number: int, problem: Problem) -> None:
        """Take nothing more; what was taken is answered first. The earliest line counts."""
        if self._halt is None or number < self._halt.number:
            self._halt = Halt(number, problem)
        self._has_answer.set()

    async def _write(self, send: Send, reading: asyncio.Task[None]) -> None:
        """
        Raises:
            NotTaken: there is no use in saying anything else.
        """
        begun = False
        while not self._is_gone:
            if not self._answers:
                if self._is_read or self._halt is not None:
                    break
                self._has_answer.clear()
                await self._has_answer.wait()
                continue
            await self._answers.first()
            piece = self._answers.take(self._told)
            if not begun:
                begun = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if reading.done() and not self._is_gone:
            reading.result()  # raises what went wrong there: the connection is ended, and that is the answer
        if self._is_gone:
            return
        if not begun:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        end = b"" if self._halt is None else last_line(self._halt)
        await send({"type": "http.response.body", "body": end, "more_body": False})

    def _told(self, answer: Answer, outcome: Outcome) -> bytes:
        self._keys.remove(answer)
        if not isinstance(outcome, Exception):
            if outcome.is_replay:
                REPLAYED.inc()
            return accepted_line(answer.number, answer.key, outcome)
        match refusal_of_line(outcome, self._context):
            case Problem() as problem:
                pass
            case Retryable() as error:
                problem = unavailable(error, self._context.retry_after_seconds)
                if isinstance(error, DatabaseUnavailable):  # the lines that follow would fare no better
                    self._halt_at(answer.number, problem)
            case error:
                problem = failure(error)
        return self._refused(answer.number, answer.key, problem)

    def _refused(self, number: int, key: str | None, problem: Problem) -> bytes:
        tally_refusal(problem.status, self._caller, self._context)
        return refused_line(number, key, problem)
