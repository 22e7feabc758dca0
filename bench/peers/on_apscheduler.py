"""APScheduler 3 with its job store in Postgres: jobs are pickled rows, written, read and deleted one by one.

It has no call that stores several jobs. A due job is handed to a thread first and deleted from the store then, before
it has run: jobs handed over but not run at a kill are lost, one not deleted yet runs twice. Nothing polls; the
scheduler sleeps until the earliest job is due.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-not-found]
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore  # type: ignore[import-not-found]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-not-found]

from bench.peers.command import Altered, Peer, Setting, Stopwatch, Wanted

_FIRE = "bench.peers.fires:fire"


class OnApscheduler:
    def __init__(self, setting: Setting) -> None:
        self._scheduler = BackgroundScheduler(
            jobstores={"default": SQLAlchemyJobStore(url=setting.url.replace("postgresql:", "postgresql+psycopg:", 1))},
            executors={"default": ThreadPoolExecutor(setting.concurrency)},
            job_defaults={"misfire_grace_time": None},  # else what is late by more than a second is dropped
            timezone=UTC,
        )

    def prepare(self) -> None:
        with self._paused():
            pass

    def store(self, timers: Sequence[Wanted]) -> float:
        with self._paused():
            watch = Stopwatch()
            self._add(timers)
            return watch.seconds()

    def alter(self, timers: Sequence[Wanted], later_seconds: float) -> Altered:
        with self._paused():
            self._add(timers)
            watch = Stopwatch()
            for timer in timers:
                instant = datetime.fromtimestamp(timer.due_at + later_seconds, UTC)
                self._scheduler.reschedule_job(str(timer.number), trigger="date", run_date=instant)
            move_seconds = watch.seconds()
            watch = Stopwatch()
            for timer in timers:
                self._scheduler.remove_job(str(timer.number))
            return Altered(move_seconds, watch.seconds())

    def work(self) -> None:
        self._scheduler.start()
        threading.Event().wait()

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Jobs go to the store while the scheduler runs; paused it fires none of them."""
        self._scheduler.start(paused=True)
        try:
            yield
        finally:
            self._scheduler.shutdown()

    def _add(self, timers: Sequence[Wanted]) -> None:
        for timer in timers:
            arguments: list[Any] = [timer.number, timer.due_at]
            instant = datetime.fromtimestamp(timer.due_at, UTC)
            self._scheduler.add_job(_FIRE, "date", run_date=instant, args=arguments, id=str(timer.number))


def make(setting: Setting) -> Peer:
    return OnApscheduler(setting)
