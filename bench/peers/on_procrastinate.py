"""Procrastinate: jobs in Postgres, one function call to fetch each, one to finish it; scheduled jobs are polled for.

A job that is still to be done cannot be given another instant, only be cancelled; a move is a cancellation and a new
job. Jobs that were being done at a kill wait until the heartbeat of their worker is 30 s old and somebody retries
them; the manual has a periodic task for it that runs every ten minutes, here it runs every second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import procrastinate  # type: ignore[import-not-found]
from procrastinate.jobs import Job  # type: ignore[import-not-found]

from bench.peers import fires
from bench.peers.command import Altered, Peer, Setting, Stopwatch, Wanted

_TASK = "fire"
_QUEUE = "timers"
_BATCH = 1000
_STORED_AT_ONCE = 2  # batches; there are two cores
_RESCUE_SECONDS = 1.0

Answer = TypeVar("Answer")


class OnProcrastinate:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=setting.url, min_size=setting.concurrency, max_size=setting.concurrency
            )
        )
        self._app.task(name=_TASK, queue=_QUEUE)(_fire)

    def prepare(self) -> None:
        self._run(self._app.schema_manager.apply_schema_async)

    def store(self, timers: Sequence[Wanted]) -> float:
        return self._run(lambda: self._store(timers))

    def alter(self, timers: Sequence[Wanted], later_seconds: float) -> Altered:
        return self._run(lambda: self._alter(timers, later_seconds))

    def work(self) -> None:
        self._run(self._work)

    def _run(self, do: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        async def opened() -> Answer:
            async with self._app.open_async():
                return await do()

        return asyncio.run(opened())

    async def _store(self, timers: Sequence[Wanted]) -> float:
        watch = Stopwatch()
        await self._defer([_job(timer, timer.due_at) for timer in timers])
        return watch.seconds()

    async def _alter(self, timers: Sequence[Wanted], later_seconds: float) -> Altered:
        stored = await self._defer([_job(timer, timer.due_at) for timer in timers])
        watch = Stopwatch()
        await self._cancel(stored)
        moved = await self._defer([_job(timer, timer.due_at + later_seconds) for timer in timers])
        move_seconds = watch.seconds()
        watch = Stopwatch()
        await self._cancel(moved)
        return Altered(move_seconds, watch.seconds())

    async def _work(self) -> None:
        rescue = asyncio.create_task(self._rescue())
        await self._app.run_worker_async(
            queues=[_QUEUE],
            concurrency=self._setting.concurrency,
            fetch_job_polling_interval=self._setting.poll_seconds,
            delete_jobs="always",
        )
        rescue.cancel()

    async def _rescue(self) -> None:
        """Retry what the worker before left half done."""
        while True:
            await asyncio.sleep(_RESCUE_SECONDS)
            for job in await self._app.job_manager.get_stalled_jobs():
                await self._app.job_manager.retry_job(job)

    async def _defer(self, jobs: list[Any]) -> list[Any]:
        batches = [jobs[first : first + _BATCH] for first in range(0, len(jobs), _BATCH)]
        done = await _at_most(_STORED_AT_ONCE, self._app.job_manager.batch_defer_jobs_async, batches)
        return [job for batch in done for job in batch]

    async def _cancel(self, jobs: list[Any]) -> None:
        async def cancel(job: Any) -> bool:
            is_cancelled: bool = await self._app.job_manager.cancel_job_by_id_async(job.id, delete_job=True)
            return is_cancelled

        assert all(await _at_most(self._setting.concurrency, cancel, jobs))


async def _at_most(count: int, do: Callable[[Any], Coroutine[Any, Any, Answer]], things: Sequence[Any]) -> list[Answer]:
    """Do it to all things, to so many at a time; the answers in the order of the things."""
    places = asyncio.Semaphore(count)

    async def one(thing: Any) -> Answer:
        async with places:
            return await do(thing)

    return await asyncio.gather(*(one(thing) for thing in things))


async def _fire(number: int, due_at: float) -> None:
    fires.fire(number, due_at)


def _job(timer: Wanted, due_at: float) -> Any:
    return Job(
        queue=_QUEUE,
        lock=None,
        queueing_lock=None,
        task_name=_TASK,
        task_kwargs={"number": timer.number, "due_at": due_at},
        scheduled_at=datetime.fromtimestamp(due_at, UTC),
    )


def make(setting: Setting) -> Peer:
    return OnProcrastinate(setting)
