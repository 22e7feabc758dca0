"""Runs a replay from the file to the report."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from rich.console import Console

from punctual.replay.channel.answers import GaveUp, KeyRefused
from punctual.replay.channel.business_clock import FollowedClock
from punctual.replay.channel.courier import Courier
from punctual.replay.channel.intake import IntakeClient, open_http
from punctual.replay.logs import read_log
from punctual.replay.mapping import LogMap, load_map
from punctual.replay.mapping.events import EventLog, collect_events
from punctual.replay.planning import Plan, plan_cases
from punctual.replay.progress import showing
from punctual.replay.report import Outcome
from punctual.replay.sending import CaseLane
from punctual.replay.settling import Deadlines, settle
from punctual.replay.tally import Tally
from punctual.replay.target import Beginnings, Target, forget, own_system, replay_home
from shared.clock import monotonic
from shared.errors import ConfigurationError

DEFAULT_SPEED = 3600.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """Attributes:
    name: of the log in the idempotency keys; another name makes other requests.
    begins_at: when the log's first event shall happen; as the log or the map says when None.
    speed: None for that of the running system, or for the default.
    patience: how long one call is repeated, real time.
    settle_for: how long to wait for the clocks at the end, real time.
    is_fresh: forget what an earlier replay of this log left.
    """

    log: Path
    map: Path
    name: str
    speed: float | None = None
    url: str | None = None
    key: str = ""
    limit: int | None = None
    begins_at: datetime | None = None
    concurrency: int = 16
    patience: timedelta = timedelta(minutes=2)
    settle_for: timedelta = timedelta(seconds=30)
    is_fresh: bool = False


def run_replay(options: Options, console: Console) -> Outcome:
    """Read, bring up a system unless one is named, send, wait for the clocks, count.

    Raises:
        ConfigurationError: map, log or target cannot be used.
        GaveUp: the system could not be reached for too long.
    """

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    log_map = load_map(options.map)
    say(f"reading {options.log}")
    events = _read(options, log_map)
    plan = plan_cases(events.events, log_map, log_name=options.name, limit=options.limit)
    if not plan.cases:
        raise ConfigurationError(_nothing_to_send(options, events, plan))
    say(f"{len(events.events)} events, {len(events.malformed)} malformed lines, {len(plan.cases)} requests to send")
    first_at = min(case.begins_at for case in plan.cases)
    with ExitStack() as stack:
        if options.url is not None:
            return asyncio.run(
                _Replay(options, events, plan, first_at, console).run(Target(options.url, None, options.key))
            )
        begins_at = options.begins_at or log_map.begins_at or first_at
        home = replay_home(options.name)
        if options.is_fresh:
            forget(home)
        say(f"bringing up a system of its own in {home}")
        speed = options.speed or DEFAULT_SPEED
        target = stack.enter_context(own_system(home, begins_at=begins_at, speed=speed, report=say))
        say(f"intake {target.url}, mails {target.mail_url}")
        return asyncio.run(_Replay(options, events, plan, first_at, console).run(target, begins_at))


def _read(options: Options, log_map: LogMap) -> EventLog:
    entries = read_log(
        options.log,
        log_format=log_map.format,
        delimiter=log_map.delimiter,
        encoding=log_map.encoding,
        needed=log_map.needed_columns(),
    )
    return collect_events(entries, log_map)


def _nothing_to_send(options: Options, events: EventLog, plan: Plan) -> str:
    reasons = [f"line {bad.line}: {bad.reason}" for bad in events.malformed[:5]]
    reasons += [f"{count} cases: {reason}" for reason, count in plan.unusable.most_common(5)]
    reasons += [f"activity {name} is not in the map" for name, _ in plan.unmapped.most_common(5)]
    return f"{options.log}: nothing to send, {events.rows} lines read" + "".join(f"\n  {reason}" for reason in reasons)


class _Replay:
    def __init__(self, options: Options, events: EventLog, plan: Plan, first_at: datetime, console: Console) -> None:
        self._options = options
        self._events = events
        self._plan = plan
        self._first_at = first_at
        self._console = console
        self._tally = Tally()

    async def run(self, target: Target, begins_at: datetime | None = None) -> Outcome:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with open_http(target.url, self._options.concurrency) as http:
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
                last_at=max(case.steps[-1].at for case in self._plan.cases),
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
        begins_at = self._options.begins_at or beginnings.recall(now) or now
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
