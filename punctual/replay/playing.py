"""Plays a plan against a system: lays it on the system's time, sends, waits for the clocks."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime, timedelta

import httpx
from rich.console import Console

from punctual.channel.answers import GaveUp, KeyRefused
from punctual.channel.business_clock import FollowedClock
from punctual.channel.courier import Courier
from punctual.channel.intake import IntakeClient, open_http
from punctual.replay.mapping.events import EventLog
from punctual.replay.options import Options
from punctual.replay.planning import Plan
from punctual.replay.progress import showing
from punctual.replay.report import Outcome
from punctual.replay.sending import CaseLane
from punctual.replay.settling import Deadlines, settle
from punctual.replay.tally import Tally
from punctual.replay.target import Beginnings, Target
from shared.clock import monotonic
from shared.errors import ConfigurationError

_FIRST_PATIENCE = timedelta(seconds=10)  # a wrong address is told soon


class Player:
    """Plays one plan.

    Args:
        first_at: the earliest instant of the plan, as the log has it.
    """

    def __init__(self, options: Options, events: EventLog, plan: Plan, first_at: datetime, console: Console) -> None:
        self._options = options
        self._events = events
        self._plan = plan
        self._first_at = first_at
        self._console = console
        self._last_at = max(case.steps[-1].at for case in plan.cases)
        self._tally = Tally(is_late=options.is_at_once)

    async def run(self, target: Target, begins_at: datetime | None = None) -> Outcome:
        """Send, wait for the clocks, count.

        Args:
            begins_at: when the first event shall happen; None on a running system lets that decide.

        Raises:
            ConfigurationError: the speed that was asked for is not the system's, or a channel has no key.
            GaveUp: the system does not answer at all.
        """
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with open_http(target.url, self._options.concurrency) as http:
            await IntakeClient(http, _FIRST_PATIENCE).read_clock()
            intake = IntakeClient(http, self._options.patience)
            clock = FollowedClock(intake)
            now = await clock.read()
            self._check_speed(clock.speed)
            shift = (begins_at or self._begin_on_running_system(target.url, now)) - self._first_at
            started_at = monotonic()
            stopped_by = None
            try:
                await self._send(target, intake, clock, shift, stopping)
            except (GaveUp, KeyRefused) as error:
                stopped_by = str(error)
            took = timedelta(seconds=monotonic() - started_at)
            is_cut_short = stopping.is_set() or stopped_by is not None
            deadlines = await self._settle(http, timedelta(0) if is_cut_short else self._options.settle_for)
            return Outcome(
                log=str(self._options.log),
                name=self._options.name,
                map=str(self._options.map),
                url=target.url,
                events=self._events,
                plan=self._plan,
                tally=self._tally,
                deadlines=deadlines,
                shift=shift,
                first_at=self._first_at,
                last_at=self._last_at,
                speed=clock.speed,
                took=took,
                retries=intake.retries,
                is_interrupted=stopping.is_set(),
                stopped_by=stopped_by,
            )

    def _check_speed(self, speed: float) -> None:
        wanted = self._options.speed
        if self._options.url is not None and wanted is not None and wanted != speed:
            raise ConfigurationError(
                f"the system at {self._options.url} runs at {speed:g} times real time, not at {wanted:g}; "
                "leave --speed out, or start the system with that speed"
            )

    def _begin_on_running_system(self, url: str, now: datetime) -> datetime:
        beginnings = Beginnings(url, self._options.name)
        latest = now - (self._last_at - self._first_at) if self._options.is_at_once else now
        begins_at = self._options.begins_at or beginnings.recall(now) or latest
        beginnings.keep(begins_at, url, self._options.name)
        return begins_at

    async def _send(
        self, target: Target, intake: IntakeClient, clock: FollowedClock, shift: timedelta, stopping: asyncio.Event
    ) -> None:
        courier = Courier(clock, self._options.concurrency)
        for case in self._plan.cases:
            courier.add(
                CaseLane(
                    case,
                    log_name=self._options.name,
                    api_key=target.key_of(case.channel),
                    shift=shift,
                    intake=intake,
                    clock=clock,
                    tally=self._tally,
                    staff_key=target.staff_key,
                )
            )
        courier.close()

        def look() -> tuple[int, str]:
            refused = self._tally.refused.total()
            return self._tally.sent, f"business time {clock.now():%Y-%m-%d %H:%M}, {refused} refused"

        async with showing("sending", self._plan.steps, look, self._console):
            await courier.run(stopping)

    async def _settle(self, http: httpx.AsyncClient, patience: timedelta) -> Deadlines:
        done = 0

        def settled(count: int) -> None:
            nonlocal done
            done = count

        references = self._tally.references
        async with showing("settling", len(references), lambda: (done, "requests"), self._console):
            return await settle(
                references,
                IntakeClient(http, patience),
                concurrency=self._options.concurrency,
                patience=patience,
                settled=settled,
            )
