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
from services.intake.api.page import StatusPage
from services.intake.api.words import check_words, parse_words, worded
from services.intake.consumer import HEARD, Listener
from services.intake.handlers.change_feed import ChangeFeed
from services.intake.handlers.group_commit import GroupCommit
from services.intake.handlers.lint import lint_file
from services.intake.handlers.moving import Moving
from services.intake.handlers.processes import Processes
from services.intake.settings import Settings
from services.intake.ticker.counts import CountKeeper
from services.intake.ticker.keys import KeyKeeper
from services.intake.ticker.processes import ProcessFollower
from shared.contracts.unread import decode_any
from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.http import HttpServer, KeyRing
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import KafkaPublisher, KafkaSubscription
from shared.lifecycle import Component, run_service
from shared.outbox import Outbox
from shared.postgres import Database

SERVICE = "intake"


def load_status_page(folder: Path) -> StatusPage:
    """
    Raises:
        ConfigurationError: names the file or the word that is wrong or missing.
    """
    words = {found.language: found for found in (parse_words(text, name) for name, text in _texts(folder, "*.yml"))}
    check_words(words)
    ((_, template),) = _texts(folder, "page.html")
    return StatusPage(template, words)


def _texts(folder: Path, pattern: str) -> list[tuple[str, str]]:
    try:
        found = [(str(path), path.read_text(encoding="utf-8")) for path in sorted(folder.glob(pattern))]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{folder}: {error}") from None
    if not found:
        raise ConfigurationError(f"{folder} holds no {pattern}; PUNCTUAL_INTAKE_DATA_FOLDER names the folder above it")
    return found


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[Component]:
    status_page = load_status_page(settings.data_folder / "status_page")
    keys = KeyRing.load(settings.platform.api_keys_file)
    clock = settings.platform.clock()
    member = f"{SERVICE}-{socket.gethostname()}-{settings.http_port}"

    database = await Database.open(
        settings.database_url.get_secret_value(),
        schema=SERVICE,
        application_name=member,
        max_size=settings.database_connections,
    )
    stack.push_async_callback(database.close)
    files = {Path(name).name: text for name, text in _texts(settings.data_folder / "processes", "*.yml")}
    processes = Processes(database, clock, files, worded(status_page.words))
    await processes.start()

    bootstrap = settings.platform.kafka_bootstrap
    publisher = KafkaPublisher(bootstrap, member)
    stack.push_async_callback(publisher.close)

    outbox = Outbox(database, publisher, SERVICE)
    submissions = GroupCommit(database, outbox, key_patience=settings.key_patience, queue_limit=settings.queue_limit)
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
        moving=Moving(outbox, clock, processes),
        public_url=settings.platform.public_url,
        submissions=submissions,
        feed=feed,
        key_patience=settings.key_patience,
        outbox_limit=settings.outbox_limit,
        retry_after_seconds=settings.retry_after_seconds,
        line_limit=settings.line_limit,
        batch_patience=settings.batch_patience,
    )
    server = HttpServer(create_api(context, status_page, readiness), settings.http_host, settings.http_port)
    tickers: list[Component] = [
        KeyKeeper(database, settings.key_retention),
        ProcessFollower(processes),
        CountKeeper(database),
    ]
    return [server, submissions, outbox, consumer, feed, *tickers]


def main() -> None:
    """Run the service.

    With ``--lint FILE`` only check a process definition, with ``--openapi`` only describe the API: JSON on stdout.
    """
    if sys.argv[1:] == ["--openapi"]:
        page = load_status_page(Settings.model_fields["data_folder"].default / "status_page")
        print(json.dumps(describe_api(page)))  # noqa: T201  its answer
        return
    if sys.argv[1:2] == ["--lint"] and len(sys.argv) == 3:  # noqa: PLR2004  the program, the option, the file
        words = load_status_page(Settings.model_fields["data_folder"].default / "status_page").words
        try:
            print(json.dumps(lint_file(Path(sys.argv[2]), worded(words))))  # noqa: T201  its answer
        except ConfigurationError as error:
            sys.exit(str(error))
        return
    run_service(SERVICE, Settings, build)
