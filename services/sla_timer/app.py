"""Wires sla_timer: the only place that knows the concrete classes."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from services.sla_timer.api import Context, create_api
from services.sla_timer.consumer import SERVICE, TOPICS, create_consumer
from services.sla_timer.handlers.requests import RequestHandler
from services.sla_timer.handlers.rulebooks import Rulebooks, RuleFiles
from services.sla_timer.handlers.timers import TimerHandler
from services.sla_timer.settings import Settings
from services.sla_timer.ticker.backlog import Backlog
from services.sla_timer.ticker.book import TimerBook
from services.sla_timer.ticker.firing import Ticker
from services.sla_timer.ticker.watch import Watch
from shared.clock import monotonic
from shared.contracts.topics import REQUESTS
from shared.errors import DatabaseUnavailable
from shared.http import HttpServer, KeyRing
from shared.inbox import Ownership
from shared.kafka import KafkaPublisher, KafkaSubscription, TopicPartition
from shared.lifecycle import Component, run_service
from shared.outbox import Outbox
from shared.postgres import Database


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[Component]:
    platform = settings.platform
    clock = platform.clock()
    keys = KeyRing.load(platform.api_keys_file)
    member = f"{SERVICE}-{socket.gethostname()}-{settings.http_port}"

    database = await Database.open(
        settings.database_url.get_secret_value(),
        schema=SERVICE,
        application_name=member,
        max_size=settings.database_connections,
    )
    stack.push_async_callback(database.close)
    rulebooks = Rulebooks(database, clock, RuleFiles(settings.policies_file, settings.calendars_file))
    await rulebooks.start()

    publisher = KafkaPublisher(platform.kafka_bootstrap, member)
    stack.push_async_callback(publisher.close)
    subscription = KafkaSubscription(
        platform.kafka_bootstrap, [topic.name for topic in TOPICS], group=SERVICE, member=member
    )

    outbox = Outbox(database, publisher, SERVICE)
    ownership = Ownership(database, SERVICE, member)

    def lag(partition: int, position: int) -> int | None:
        return subscription.lag(TopicPartition(REQUESTS.name, partition), position)

    ticker = Ticker(
        database,
        TimerHandler(rulebooks, clock, outbox),
        ownership,
        outbox,
        clock,
        TimerBook(monotonic),
        Backlog(lag, monotonic),
        settings.horizon_seconds,
    )
    handler = RequestHandler(rulebooks, clock, outbox, ticker.armed)
    consumer = create_consumer(database, subscription, handler, ownership, outbox, clock, platform.reject_share)

    async def readiness() -> Mapping[str, str | None]:
        try:
            await database.ping()
        except DatabaseUnavailable as error:
            return {"postgres": str(error), "kafka": consumer.trouble(), "outbox": outbox.trouble()}
        return {"postgres": None, "kafka": consumer.trouble(), "outbox": outbox.trouble()}

    api = create_api(Context(database, keys, rulebooks), readiness)
    server = HttpServer(api, settings.http_host, settings.http_port)
    return [server, outbox, consumer, ticker, Watch(database, rulebooks, ownership, clock)]


def main() -> None:
    run_service(SERVICE, Settings, build)
