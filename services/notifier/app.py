"""Wires the notifier."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from services.notifier.api import create_api
from services.notifier.consumer import TOPICS, NewsHandler
from services.notifier.delivery.gate import RelayGate
from services.notifier.delivery.session import RelaySession
from services.notifier.handlers.claiming import Claiming
from services.notifier.handlers.encrypting import encrypt_what_is_plain
from services.notifier.handlers.holding import Holding
from services.notifier.handlers.journal import Journal
from services.notifier.handlers.planning import Planner
from services.notifier.handlers.writing import Writer
from services.notifier.settings import Settings
from services.notifier.store.data_files import load_roles, load_wording
from services.notifier.store.listing import NoticeListing
from services.notifier.ticker.connections import Connections
from services.notifier.ticker.dispatcher import Dispatcher
from services.notifier.ticker.retention import MailKeeper
from shared.clock import monotonic
from shared.errors import DatabaseUnavailable
from shared.http import HttpServer
from shared.http.access import open_access
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import KafkaPublisher, KafkaSubscription
from shared.key_rotation import KeyRotation
from shared.lifecycle import Component, run_service
from shared.outbox import Outbox
from shared.postgres import ClockCheck, Database, check_schema

SERVICE = "notifier"


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[Component]:
    """Everything that can be wrong with files and settings is found before anything is connected."""
    platform = settings.platform
    clock, sender, master_keys = platform.clock(), settings.sender(), platform.read_master_keys()
    roles, wording = load_roles(settings.roles_file), load_wording(platform.public_url)
    access = open_access(platform, settings.access_file)
    member = f"{SERVICE}-{socket.gethostname()}-{settings.http_port}"

    database = await Database.open(settings.database_url.get_secret_value(), schema=SERVICE, application_name=member)
    stack.push_async_callback(database.close)
    await check_schema(database, SERVICE)
    rotation = KeyRotation(database, master_keys, SERVICE)
    await rotation.check()
    await encrypt_what_is_plain(database, master_keys)
    publisher = KafkaPublisher(platform.kafka_bootstrap, member)
    stack.push_async_callback(publisher.close)
    outbox = Outbox(database, publisher, SERVICE)
    ownership = Ownership(database, SERVICE, member)

    policy, listing = settings.policy(), NoticeListing(database)
    gate = RelayGate(settings.retry_delays(), monotonic)
    journal = Journal(database=database, outbox=outbox, clock=clock, policy=policy, body_lease=settings.body_lease())
    dispatcher = Dispatcher(
        claiming=Claiming(
            database=database,
            outbox=outbox,
            master_keys=master_keys,
            clock=clock,
            policy=policy,
            lease=settings.claim_lease(),
        ),
        journal=journal,
        connections=Connections(
            count=settings.smtp_connections,
            journal=journal,
            gate=gate,
            new_session=lambda: RelaySession(settings.relay()),
            sender=sender.address,
            claim_lease=settings.claim_lease(),
        ),
        gate=gate,
        listing=listing,
        poll_seconds=settings.poll_seconds,
    )
    planner = Planner(
        clock=clock,
        outbox=outbox,
        master_keys=master_keys,
        roles=roles,
        writer=Writer(wording, sender, roles),
        wake=dispatcher.wake,
    )
    consumer = InboxConsumer(
        service=SERVICE,
        database=database,
        subscription=KafkaSubscription(platform.kafka_bootstrap, TOPICS, group=SERVICE, member=member),
        handler=NewsHandler(planner, master_keys),
        ownership=ownership,
        outbox=outbox,
        clock=clock,
        reject_share=platform.reject_share,
    )

    async def readiness() -> Mapping[str, str | None]:
        """An absent relay is no reason: notices are planned and wait for it."""
        parts = {"events": consumer.trouble(), "outbox": outbox.trouble(), "master_keys": rotation.trouble()}
        try:
            await database.ping()
        except DatabaseUnavailable as error:
            return {"postgres": str(error), **parts}
        return {"postgres": None, **parts}

    api = create_api(listing, Holding(database, clock, master_keys), access, readiness)
    server = HttpServer(api, settings.http_host, settings.http_port, platform.certificate())
    mails = MailKeeper(database, clock, settings.mail_retention(), ClockCheck(SERVICE))
    return [server, outbox, consumer, dispatcher, rotation, mails]


def main() -> None:
    run_service(SERVICE, Settings, build)
