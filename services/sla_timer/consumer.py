"""Hears request events, and what is declared for the whole house."""

from __future__ import annotations

from services.sla_timer.handlers.loading import HistorySequences
from services.sla_timer.handlers.requests import RequestHandler
from shared.clock import Clock
from shared.contracts.topics import OPERATIONS, REQUESTS, Topic
from shared.inbox import DEFAULT_SHARE, InboxConsumer, Ownership
from shared.kafka import Subscription
from shared.outbox import Outbox
from shared.postgres import Database

SERVICE = "sla_timer"
TOPICS: tuple[Topic, ...] = (REQUESTS, OPERATIONS)


def create_consumer(
    database: Database,
    subscription: Subscription,
    handler: RequestHandler,
    sequences: HistorySequences,
    ownership: Ownership,
    outbox: Outbox,
    clock: Clock,
    reject_share: float = DEFAULT_SHARE,
) -> InboxConsumer:
    """The consumer of ``TOPICS``; whoever owns a partition of requests also fires their timers."""
    return InboxConsumer(
        service=SERVICE,
        database=database,
        subscription=subscription,
        handler=handler,
        sequences=sequences,
        ownership=ownership,
        outbox=outbox,
        clock=clock,
        reject_share=reject_share,
    )
