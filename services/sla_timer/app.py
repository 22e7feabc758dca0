"""Wires sla_timer: the only place that knows the concrete classes."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from services.sla_timer.consumer import SERVICE, TOPICS, create_consumer
from services.sla_timer.handlers.loading import HistorySequences, Loading
from services.sla_timer.handlers.modes import Modes
from services.sla_timer.handlers.requests import RequestHandler
from services.sla_timer.handlers.rollouts import RolloutHandler
from services.sla_timer.handlers.rulebooks import Rulebooks, RuleFiles
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.settings import Settings
from services.sla_timer.store.shelf import Shelf
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from services.sla_timer.ticker.rollouts import Rollouts
from services.sla_timer.ticker.watch import Watch
from shared.clock import monotonic
from shared.contracts.topics import REQUESTS
from shared.errors import DatabaseUnavailable
from shared.inbox import Ownership
from shared.kafka import KafkaPublisher, KafkaSubscription, TopicPartition
from shared.lifecycle import Component, run_service
from shared.outbox import Outbox
from shared.postgres import Database, check_schema
from shared.settings import load_settings

_SESSION_SECONDS = 6.0
"""The least that brokers take by default: what a dead process owned is taken over within ten seconds."""


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[Component]:
    platform = settings.platform
    clock = platform.clock()
    member = f"{SERVICE}-{socket.gethostname()}-{settings.http_port}"

    database = await Database.open(
        settings.database_url.get_secret_value(),
        schema=SERVICE,
        application_name=member,
        max_size=settings.database_connections,
    )
    stack.push_async_callback(database.close)
    await check_schema(database, SERVICE)
    rulebooks = Rulebooks(database, clock, RuleFiles(settings.policies_file, settings.calendars_file))
    await rulebooks.start()
    modes = Modes(database, clock)
    await modes.refresh()
    publisher = KafkaPublisher(platform.kafka_bootstrap, member)
    stack.push_async_callback(publisher.close)
    subscription = KafkaSubscription(
        platform.kafka_bootstrap,
        [topic.name for topic in TOPICS],
        group=SERVICE,
        member=member,
        session_timeout_seconds=_SESSION_SECONDS,
    )

    outbox = Outbox(database, publisher, SERVICE)
    ownership = Ownership(database, SERVICE, member)
    shelf = Shelf(settings.requests_in_memory, lambda: ownership.epochs_of(REQUESTS.name))
    loading = Loading(shelf, rulebooks)

    def lag(partition: int, position: int) -> int | None:
        return subscription.lag(TopicPartition(REQUESTS.name, partition), position)

    ticker = Ticker(
        database,
        TimerHandler(database, loading, shelf, clock, outbox),
        ownership,
        clock,
        TimerBook(),
        Backlog(lag, monotonic),
        settings.horizon_seconds,
    )
    handler = RequestHandler(database, rulebooks, modes, loading, shelf, clock, outbox, ticker.armed, ownership)
    consumer = create_consumer(
        database, subscription, handler, HistorySequences(loading), ownership, outbox, clock, platform.reject_share
    )
    rollouts = Rollouts(
        database,
        RolloutHandler(database, rulebooks, modes, loading, shelf, clock, outbox),
        ownership,
        clock,
        ticker,
    )

    async def readiness() -> Mapping[str, str | None]:
        try:
            await database.ping()
        except DatabaseUnavailable as error:
            return {"postgres": str(error), "kafka": consumer.trouble(), "outbox": outbox.trouble()}
        return {"postgres": None, "kafka": consumer.trouble(), "outbox": outbox.trouble()}

    await ownership.resume()  # what was ours fires also while Kafka is away

    def open_door() -> Component:
        from services.sla_timer.api import Context, create_api
        from services.sla_timer.handlers.programs import Programs
        from shared.http import HttpServer
        from shared.http.access import open_access

        access = open_access(platform, settings.access_file)
        looking = Loading(Shelf(0, dict), rulebooks)  # what people look at takes no place from what is worked on
        api = create_api(Context(database, clock, rulebooks, modes, looking, Programs()), access, readiness)
        return HttpServer(api, settings.http_host, settings.http_port, platform.certificate())

    watch = Watch(database, rulebooks, modes, ownership, shelf, clock)
    return [FrontDoor(open_door), outbox, consumer, ticker, rollouts, watch]


class FrontDoor:
    """The HTTP API as a component. Loading the web framework takes as long as everything else: timers must not wait."""

    def __init__(self, open_door: Callable[[], Component]) -> None:
        self._open_door = open_door

    async def run(self, stopping: asyncio.Event) -> None:
        server = await asyncio.to_thread(self._open_door)
        await server.run(stopping)


def main() -> None:
    """The service; with the option of a program that reads beside it, that program."""
    if len(sys.argv) > 1 and not sys.argv[1].startswith("--config"):
        from services.sla_timer.handlers.beside import run_beside

        run_beside(sys.argv[1:], _database_url, Settings.model_fields["calendars_file"].default)
    else:
        run_service(SERVICE, Settings, build)


def _database_url() -> str:
    return load_settings(Settings).database_url.get_secret_value()
