"""Runs a replay from the file to the report."""

from __future__ import annotations

import asyncio

from rich.console import Console

from punctual.replay.logs import read_log
from punctual.replay.mapping import LogMap, load_map
from punctual.replay.mapping.events import EventLog, collect_events
from punctual.replay.options import Options
from punctual.replay.planning import Plan, plan_cases
from punctual.replay.playing import Player
from punctual.replay.report import Outcome
from punctual.replay.target import Target, forget, own_system, replay_home
from punctual.safe_address import require_safe, require_sendable
from shared.errors import ConfigurationError

DEFAULT_SPEED = 3600.0


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
    events = read_events(options, log_map)
    plan = plan_cases(events.events, log_map, log_name=options.name, limit=options.limit)
    if not plan.cases:
        raise ConfigurationError(_nothing_to_send(options, events, plan))
    say(f"{len(events.events)} events, {len(events.malformed)} malformed lines, {len(plan.cases)} requests to send")
    first_at = min(case.begins_at for case in plan.cases)
    span = max(case.steps[-1].at for case in plan.cases) - first_at
    player = Player(options, events, plan, first_at, console)
    if options.url is not None:
        require_safe(options.url)
        require_sendable(options.key, "the key")
        return asyncio.run(player.run(Target(options.url, only_key=options.key)))
    begins_at = options.begins_at or log_map.begins_at or first_at
    home = replay_home(options.name)
    if options.is_fresh:
        forget(home)
    say(f"bringing up a system of its own in {home}")
    speed = None if options.is_at_once else options.speed or DEFAULT_SPEED
    with own_system(home, begins_at=begins_at, ends_at=begins_at + span, speed=speed, report=say) as target:
        say(f"intake {target.url}, mails {target.mail_url}")
        return asyncio.run(player.run(target, begins_at))


def read_events(options: Options, log_map: LogMap) -> EventLog:
    """The whole log, sorted by instant, and what could not be read.

    Raises:
        ConfigurationError: it cannot be opened, or lacks a column that the map names.
    """
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
