"""From an accepted request to its deadline on Kafka and to its confirmation in the mail server, at a steady rate."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import UUID

import uvloop

from bench.clock_reader import Heard, listening
from bench.figures import Figure, milliseconds
from bench.load.open_loop import Accepted, OpenLoop
from bench.load.requests import PreparedRequests, number_of
from bench.processes import cpu_per, cpu_use, memory_figures, wait_until_quiet
from bench.quantiles import quantile
from bench.rig import POLICIES, Measured, postgres_version, running_system, say
from punctual.local.system import LocalSystem
from shared.ids import new_id

SUMMARY = "accepted -> deadline known, accepted -> mail accepted, timer lateness, memory; whole system, steady load"

_CONNECTIONS = 32
_OBJECTIVE = "resolution"  # every policy has it; both deadlines of a request come in one transaction
_FIRED = frozenset({"warned", "breached", "escalated"})
_WARM_UP_SECONDS = 10.0
_PATIENCE_SECONDS = 30.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=float, default=50.0, help="requests per second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the run (%(default)s)")


def run(options: argparse.Namespace) -> Measured:
    policies = {"PUNCTUAL_SLA_TIMER_POLICIES_FILE": str(POLICIES / "end_to_end.yml")}
    with running_system(environment=policies) as system, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        say(f"warming up for {_WARM_UP_SECONDS:g} s")
        warm_up = _prepare(system, options.rate, _WARM_UP_SECONDS, first=0)
        runner.run(_drive(system, warm_up))
        wait_until_quiet(system)
        say(f"{options.rate:g} requests/s for {options.seconds:g} s")
        load = _prepare(system, options.rate, options.seconds, first=warm_up.count)
        with cpu_use(system) as use:
            heard = runner.run(_drive(system, load))
        memory = memory_figures(system)
        wait_until_quiet(system)
        figures = [
            *_answers(load),
            *_waits("deadline known", load.accepted, _known_at(load.accepted, heard)),
            *_waits("mail accepted", load.accepted, _mailed_at(system)),
            *_lateness(heard),
            *memory,
            *cpu_per("request", len(load.accepted), [use]),
            *use.figures(),
        ]
        return Measured(figures, postgres_version(system))


def _prepare(system: LocalSystem, rate: float, seconds: float, first: int) -> OpenLoop:
    prepared = PreparedRequests(f"{system.addresses['intake']}/v1/requests", system.keys["app"], str(new_id()))
    return OpenLoop(prepared, rate, seconds, first)


async def _drive(system: LocalSystem, load: OpenLoop) -> list[Heard]:
    """Send the load and listen until every accepted request's deadline is known; everything heard."""
    where = urlsplit(system.addresses["intake"])
    assert where.hostname is not None
    assert where.port is not None
    async with listening(system.kafka_bootstrap) as reader:
        await load.run(where.hostname, where.port, _CONNECTIONS)
        await reader.wait_until(
            lambda: len(_known_at(load.accepted, reader.heard)) == len(load.accepted), _PATIENCE_SECONDS
        )
    return reader.heard


def _answers(load: OpenLoop) -> list[Figure]:
    seconds = [(request.accepted_at - request.due_at).total_seconds() for request in load.accepted]
    return [
        Figure("requests due", load.count),
        Figure("requests accepted", len(load.accepted)),
        *(Figure(f"requests answered {outcome}", count) for outcome, count in sorted(load.errors.items())),
        milliseconds("due to accepted, p50", quantile(seconds, 0.5)),
        milliseconds("due to accepted, p99", quantile(seconds, 0.99)),
    ]


def _waits(what: str, accepted: Sequence[Accepted], reached_at: Mapping[int, datetime]) -> list[Figure]:
    """``reached_at``: number of a request -> when it got there. It may be before the client has read its answer."""
    seconds = [
        (reached_at[request.number] - request.accepted_at).total_seconds()
        for request in accepted
        if request.number in reached_at
    ]
    return [
        milliseconds(f"accepted to {what}, p50", quantile(seconds, 0.5)),
        milliseconds(f"accepted to {what}, p99", quantile(seconds, 0.99)),
        milliseconds(f"accepted to {what}, longest", quantile(seconds, 1.0)),
        Figure(f"without {what}", len(accepted) - len(seconds)),
    ]


def _known_at(accepted: Sequence[Accepted], heard: Sequence[Heard]) -> dict[int, datetime]:
    numbers = {UUID(request.request_id): request.number for request in accepted}
    return {
        numbers[event.payload.request_id]: event.heard_at
        for event in heard
        if event.happened == "started" and event.payload.objective == _OBJECTIVE and event.payload.request_id in numbers
    }


def _mailed_at(system: LocalSystem) -> dict[int, datetime]:
    """When the first mail to each customer was taken by the mail server."""
    with urlopen(f"{system.mail_url}/api/messages", timeout=60) as answer:
        mails = json.load(answer)
    return {
        number: datetime.fromisoformat(mail["received_at"])
        for mail in mails  # newest first, so that the first one stays
        for address in mail["to"]
        if (number := number_of(address)) is not None
    }


def _lateness(heard: Sequence[Heard]) -> list[Figure]:
    seconds = [event.lateness_seconds for event in heard if event.happened in _FIRED]
    return [
        Figure("timers fired", len(seconds)),
        milliseconds("timer lateness, p50", quantile(seconds, 0.5)),
        milliseconds("timer lateness, p99", quantile(seconds, 0.99)),
    ]
