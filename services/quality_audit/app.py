"""Wires quality_audit."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from services.quality_audit.api import create_api
from services.quality_audit.consumer import TOPICS, QualityEvents
from services.quality_audit.domain.plan_text import PlanText, parse_plan
from services.quality_audit.handlers.framing import Framing
from services.quality_audit.handlers.reviewing import Reviewing
from services.quality_audit.settings import Settings
from services.quality_audit.ticker import FiguresTicker
from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.http import HttpServer
from shared.http.access import open_access
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import KafkaPublisher, KafkaSubscription
from shared.lifecycle import Component, run_service
from shared.outbox import Outbox
from shared.postgres import Database, check_schema

SERVICE = "quality_audit"
_SHORTEST_SECRET = 32  # characters; a shorter one could be tried out against the public commitment


async def build(settings: Settings, stack: AsyncExitStack) -> Sequence[Component]:
    platform = settings.platform
    clock = platform.clock()
    plan_text = read_plan(settings.sampling_file)
    access = open_access(platform, settings.access_file)
    master = master_secret(settings)
    member = f"{SERVICE}-{socket.gethostname()}-{settings.http_port}"

    database = await Database.open(settings.database_url.get_secret_value(), schema=SERVICE, application_name=member)
    stack.push_async_callback(database.close)
    await check_schema(database, SERVICE)
    publisher = KafkaPublisher(platform.kafka_bootstrap, member)
    stack.push_async_callback(publisher.close)

    outbox = Outbox(database, publisher, SERVICE)
    framing = Framing(plan_text, master, outbox, clock)
    await framing.check_secret(database)
    consumer = InboxConsumer(
        service=SERVICE,
        database=database,
        subscription=KafkaSubscription(
            platform.kafka_bootstrap, [topic.name for topic in TOPICS], group=SERVICE, member=member
        ),
        handler=QualityEvents(framing),
        ownership=Ownership(database, SERVICE, member),
        outbox=outbox,
        clock=clock,
        reject_share=platform.reject_share,
    )

    async def readiness() -> Mapping[str, str | None]:
        try:
            await database.ping()
        except DatabaseUnavailable as error:
            return {"postgres": str(error), "kafka": consumer.trouble(), "outbox": outbox.trouble()}
        return {"postgres": None, "kafka": consumer.trouble(), "outbox": outbox.trouble()}

    api = create_api(
        database=database,
        access=access,
        reviewing=Reviewing(database, outbox, clock),
        plan=plan_text.plan,
        master=master,
        clock=clock,
        readiness=readiness,
    )
    return [
        HttpServer(api, settings.http_host, settings.http_port, settings.platform.certificate()),
        outbox,
        consumer,
        FiguresTicker(database, plan_text.plan, clock, settings.figures_seconds),
    ]


def read_plan(path: Path) -> PlanText:
    """Read the sampling plan.

    Raises:
        ConfigurationError: the file cannot be read, or names file, line and field of every mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from None
    return parse_plan(text, str(path))


def master_secret(settings: Settings) -> bytes:
    """What the secrets of the periods are derived from.

    Raises:
        ConfigurationError: it is too short. Checked here, so that `--config` can list settings that are incomplete.
    """
    secret = settings.sampling_secret.get_secret_value()
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigurationError(
            f"PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET needs {_SHORTEST_SECRET} characters or more to be unguessable"
        )
    return secret.encode()


def main() -> None:
    run_service(SERVICE, Settings, build)
