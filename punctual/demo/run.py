"""Runs the demo: the system, the traffic, the reviewer and what shows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from punctual.channel.business_clock import FollowedClock
from punctual.channel.courier import Courier
from punctual.channel.intake import IntakeClient, open_http
from punctual.demo.figures import FigureWatch
from punctual.demo.journal import Journal
from punctual.demo.lines import plain_line
from punctual.demo.reviewer import Reviewer
from punctual.demo.screen import render
from punctual.demo.sender import Arrivals, Sent
from punctual.demo.services import ServiceReader
from punctual.demo.traffic import Traffic
from punctual.local.system import LocalSystem
from shared.clock import monotonic
from shared.waiting import first_of

BEGINS_AT = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)  # a Monday, half past eight in the morning
DEFAULT_SPEED = 3600.0  # an hour in a second, a working day in nine

_CONNECTIONS = 16
_PATIENCE = timedelta(hours=12)  # services may be killed and repaired while one watches
_SCREEN_SECONDS = 0.5
_LINE_SECONDS = 5.0
_GRACE_SECONDS = 5.0  # for calls under way; their keys make it safe to cut them off


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Attributes:
    rate: requests per real second, on average of a business week.
    duration: real seconds until it ends by itself; None until Ctrl-C.
    is_json: figures as JSON lines on stdout.
    """

    home: Path
    speed: float = DEFAULT_SPEED
    rate: float = 4.0
    seed: int = 1
    duration: float | None = None
    has_traffic: bool = True
    is_json: bool = False


def run_demo(options: DemoOptions, console: Console) -> None:
    """Bring everything up, show it until it is stopped, end everything.

    Raises:
        ConfigurationError: the system cannot run here; the message says why.
    """

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    started_at = monotonic()
    system = LocalSystem(options.home, clock_speed=options.speed, clock_start=BEGINS_AT, report=say)
    system.start()
    try:
        say(f"up after {monotonic() - started_at:.1f} s")
        asyncio.run(_Demo(options, system, console, started_at).run())
    finally:
        with _undisturbed():
            say("stopping")
            system.stop()
    say("Stopped. `punctual demo` goes on with the data, `make clean-data` forgets it.")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the processes behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Demo:
    def __init__(self, options: DemoOptions, system: LocalSystem, console: Console, started_at: float) -> None:
        self._options = options
        self._system = system
        self._console = console
        self._started_at = started_at
        self._sent = Sent()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        keys, urls = self._system.keys, self._system.addresses
        async with AsyncExitStack() as stack:
            intake = IntakeClient(await stack.enter_async_context(open_http(urls["intake"], _CONNECTIONS)), _PATIENCE)
            quality = await stack.enter_async_context(open_http(urls["quality_audit"], 2))
            reader = ServiceReader(urls, keys["staff"])
            stack.push_async_callback(reader.close)
            clock = FollowedClock(intake)
            await clock.read()
            watch = FigureWatch(reader, clock, self._sent, self._started_at)
            work: list[Coroutine[Any, Any, None]] = [watch.run(self._stopping), self._show(watch), self._end_in_time()]
            if self._options.has_traffic:
                journal = Journal(self._system.folders.data / "demo.jsonl")
                stack.callback(journal.close)
                work += [
                    self._courier(clock, intake, journal).run(self._stopping),
                    Reviewer(quality, keys["staff"]).run(self._stopping),
                ]
            await self._all(work)

    def _courier(self, clock: FollowedClock, intake: IntakeClient, journal: Journal) -> Courier:
        courier = Courier(clock, _CONNECTIONS)
        traffic = Traffic(self._options.seed, self._options.rate / clock.speed)
        after = max(clock.now(), journal.last_at or clock.now())
        arrivals = Arrivals(traffic, courier, self._system.keys, intake, journal, self._sent, after)
        if left := arrivals.take_up():
            self._say(f"going on with {left} requests that were under way")
        courier.add(arrivals)
        return courier

    async def _all(self, work: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Until one ends, which each does when it is time to stop; one that fails ends the others."""
        tasks = [asyncio.create_task(each) for each in work]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _end_in_time(self) -> None:
        await first_of(self._options.duration, self._stopping)

    async def _show(self, watch: FigureWatch) -> None:
        if self._options.is_json:
            await self._every(_LINE_SECONDS, lambda: _print_json(watch))
        elif self._console.is_terminal:
            addresses = self._addresses()
            with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as live:
                await self._every(
                    _SCREEN_SECONDS,
                    lambda: live.update(render(watch.latest, self._sent.latest, addresses), refresh=True),
                )
        else:
            for name, url in self._addresses().items():
                self._say(f"{name}: {url}")
            await self._every(_LINE_SECONDS, lambda: self._say(plain_line(watch.latest)))
        first = watch.latest.first_accepted_after
        if first is not None:
            self._say(f"first request accepted {first:.1f} s after the start")

    async def _every(self, seconds: float, show: Callable[[], None]) -> None:
        """Show at once, again and again, and a last time at the end."""
        while not self._stopping.is_set():
            show()
            await first_of(seconds, self._stopping)
        show()

    def _addresses(self) -> dict[str, str]:
        pages = {"mails": self._system.mail_url}
        if self._system.issuer_url is not None:
            pages["sign-in"] = self._system.issuer_url
        documents = {f"{service} API": f"{url}/openapi.json" for service, url in self._system.addresses.items()}
        return {**pages, **documents}

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_json(watch: FigureWatch) -> None:
    sys.stdout.write(json.dumps(watch.latest.as_dict(), ensure_ascii=False) + "\n")
    sys.stdout.flush()
