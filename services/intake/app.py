"""Wires intake together: the only place that knows the concrete classes."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from services.intake.api.application import create_api, describe_api
from services.intake.api.context import Context
from services.intake.api.frame import read_frame
from services.intake.api.page import StatusPage
from services.intake.api.rate_limits import RateLimits
from services.intake.api.sealing import CursorSeal
from services.intake.api.words import load_words, worded
from services.intake.consumer import HEARD, Listener
from services.intake.domain.rate import Rate
from services.intake.domain.retention import read_retention
from services.intake.handlers.acting import Acting
from services.intake.handlers.automations import FILE as AUTOMATION
from services.intake.handlers.automations import Automations
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.customer_keys import CustomerKeys
from services.intake.handlers.data_files import RETENTION, VALIDATION, read_text, read_texts
from services.intake.handlers.encrypting import PlainData
from services.intake.handlers.erasing import Erasing
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.key_book import KeyBook
from services.intake.handlers.moving import Moving
from services.intake.handlers.processes import Processes
from services.intake.handlers.reminding import Reminding
from services.intake.handlers.retelling import Retelling
from services.intake.handlers.validation_file import load_validation
from services.intake.handlers.watching import Watching
from services.intake.settings import Settings
from services.intake.ticker.automation import Automator
from services.intake.ticker.counts import CountKeeper
from services.intake.ticker.following import Follower
from services.intake.ticker.key_uses import KeyUses
from services.intake.ticker.keys import KeyKeeper
from services.intake.ticker.reminders import Reminder
from services.intake.ticker.retention import Retention
from services.intake.ticker.watching import Watcher
from shared.contracts.unread import decode_any
from shared.errors import DatabaseUnavailable
from shared.http import HttpServer, KeyRing
from shared.http.access import Access, Identification, load_matrix, open_access
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import KafkaPublisher, KafkaSubscription
from shared.key_rotation import KeyRotation
from shared.lifecycle import Component, run_service
from shared.outbox import Outbox
from shared.postgres import ClockCheck, Database, check_schema

SERVICE = "intake"


def load_status_page(folder: Path) -> StatusPage:
    """
    Raises:
        ConfigurationError: names the file and what is wrong in it or missing.
    """
    ((name, text),) = read_texts(folder, "page.html")
    return StatusPage(read_frame(text, name), load_words(folder))


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[Component]:
    status_page = load_status_page(settings.data_folder / "status_page")
    clock = settings.platform.clock()
    master_keys = settings.platform.read_master_keys()
    customer_keys = CustomerKeys(master_keys)
    retention = read_retention(read_text(settings.data_folder / RETENTION), RETENTION)
    secret = settings.signature_secret.get_secret_value()
    validation = load_validation(settings.data_folder / VALIDATION, secret, clock.now())
    member = f"{SERVICE}-{socket.gethostname()}-{settings.http_port}"

    database = await Database.open(
        settings.database_url.get_secret_value(),
        schema=SERVICE,
        application_name=member,
        max_size=settings.database_connections,
    )
    stack.push_async_callback(database.close)
    await check_schema(database, SERVICE)
    keys = KeyBook(database, patience=settings.queue_patience)
    wait = settings.retry_after_seconds
    access = open_access(settings.platform, settings.access_file, keys.find, retry_after_seconds=wait)
    files = {Path(name).name: text for name, text in read_texts(settings.data_folder / "processes", "*.yml")}
    processes = Processes(database, clock, files, worded(status_page.words), validation.book.personal)
    await processes.start()
    clock_check = ClockCheck(SERVICE)
    watching = Watching(database, clock, validation, clock_check)
    await watching.start()

    bootstrap = settings.platform.kafka_bootstrap
    publisher = KafkaPublisher(bootstrap, member)
    stack.push_async_callback(publisher.close)

    outbox = Outbox(database, publisher, SERVICE)
    rotation = KeyRotation(database, master_keys, SERVICE, Retelling(outbox, clock).tell)
    await rotation.check()
    await PlainData(database, outbox, clock, master_keys).encrypt()
    erasing = Erasing(outbox, clock)
    automations = Automations(database, clock, read_text(settings.data_folder / AUTOMATION))
    await automations.start()
    acting = Acting(database, automations, outbox, processes, customer_keys)
    moving = Moving(database, outbox, clock, processes, acting, customer_keys, validation)
    automator = Automator(database, moving)
    reminding = Reminding(automations, processes, outbox, clock)
    submissions = GroupCommit(
        database,
        outbox,
        customer_keys=customer_keys,
        key_patience=settings.key_patience,
        queue_limit=settings.queue_limit,
        queue_patience=settings.queue_patience,
        call_patience=settings.call_patience,
        validation=validation,
    )
    stack.push_async_callback(submissions.finish)  # a client that left does not wait for what it had accepted
    feed = ChangeFeed(database)
    ownership = Ownership(database, SERVICE, member)
    consumer = InboxConsumer(
        service=SERVICE,
        database=database,
        subscription=KafkaSubscription(bootstrap, [topic.name for topic in HEARD], group=SERVICE, member=member),
        handler=Listener(),
        ownership=ownership,
        outbox=outbox,
        clock=clock,
        decode=decode_any,
        reject_share=settings.platform.reject_share,
    )

    async def readiness() -> Mapping[str, str | None]:
        """Requests are taken in while Kafka is away: only Postgres makes the front door unready."""
        try:
            await database.ping()
        except DatabaseUnavailable as error:
            return {"postgres": str(error)}
        return {"postgres": None}

    context = Context(
        database=database,
        outbox=outbox,
        clock=clock,
        keys=keys,
        processes=processes,
        moving=moving,
        customer_keys=customer_keys,
        erasing=erasing,
        acting=acting,
        automations=automations,
        public_url=settings.platform.public_url,
        validation=validation,
        submissions=submissions,
        feed=feed,
        seal=CursorSeal(secret),
        key_patience=settings.key_patience,
        call_patience=settings.call_patience,
        outbox_limit=settings.outbox_limit,
        retry_after_seconds=wait,
        line_limit=settings.line_limit,
        batch_patience=settings.batch_patience,
        limits=RateLimits(Rate(settings.rate_per_second, settings.rate_burst) if settings.rate_per_second else None),
    )
    api = create_api(context, access, status_page, readiness)
    server = HttpServer(api, settings.http_host, settings.http_port, settings.platform.certificate())
    tickers: list[Component] = [
        automator,
        Reminder(database, reminding, automations, clock),
        KeyKeeper(database, settings.key_retention, clock_check),
        Follower([processes, automations]),
        CountKeeper(database),
        KeyUses(keys),
        Retention(database, erasing, retention, clock, clock_check),
        rotation,
        # It stores what was counted once more at a stop; what is taken in after that is lost to the counts.
        Watcher(watching),
    ]
    return [server, submissions, outbox, consumer, feed, *tickers]


def main() -> None:
    """Run the service; with ``--openapi`` only describe the API: JSON on stdout."""
    if sys.argv[1:] == ["--openapi"]:
        page = load_status_page(Settings.model_fields["data_folder"].default / "status_page")
        matrix = load_matrix(Settings.model_fields["access_file"].default)
        print(json.dumps(describe_api(Access(Identification(KeyRing([])), matrix), page)))  # noqa: T201  its answer
        return
    run_service(SERVICE, Settings, build)
