"""Hears request events."""

from __future__ import annotations

from services.sla_timer.handlers.requests import RequestHandler
from shared.clock import Clock
from shared.contracts.topics import REQUESTS, Topic
from shared.inbox import DEFAULT_SHARE, InboxConsumer, Ownership
from shared.kafka import Subscription
from shared.outbox import Outbox
from shared.postgres import Database

SERVICE = "sla_timer"
TOPICS: tuple[Topic, ...] = (REQUESTS,)


def create_consumer(
    database: Database,
    subscription: Subscription,
    handler: RequestHandler,
    ownership: Ownership,
    outbox: Outbox,
    clock: Clock,
    reject_share: float = DEFAULT_SHARE,
) -> InboxConsumer:
    """The consumer of ``TOPICS``; whoever owns a partition of it also fires the timers of its requests."""
    return InboxConsumer(
        service=SERVICE,
        database=database,
        subscription=subscription,
        handler=handler,
        ownership=ownership,
        outbox=outbox,
        clock=clock,
        reject_share=reject_share,
    )
