"""From events on the topics to mails and events about them: consumer, planner, dispatcher and outbox together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from services.notifier.consumer import TOPICS
from shared.contracts.envelope import Event, encode
from shared.contracts.notices import NoticeSent
from shared.contracts.payload import Payload
from shared.contracts.requests import RequestClosed
from shared.inbox import InboxConsumer, Ownership
from shared.kafka.records import OutgoingRecord
from shared.postgres import Database
from tests.integration.notifier.cases import Case, received
from tests.integration.notifier.house import House, eventually
from tests.integration.notifier.relays import CatchingRelay


async def publish(house: House, event: Event[Payload], sequence: int = 1) -> None:
    key, value, headers = encode(replace(event, sequence=sequence))
    await house.broker.append([OutgoingRecord(received(event).topic, key, value, headers)])


async def test_events_become_mails_and_mails_become_events(database: Database, relay: CatchingRelay) -> None:
    house = House(database, port=relay.port)
    ownership = Ownership(database, "notifier", "test")
    consumer = InboxConsumer(
        service="notifier",
        database=database,
        subscription=house.broker.subscription(TOPICS, group="notifier"),
        handler=house.handler,
        ownership=ownership,
        outbox=house.outbox,
        clock=house.clock,
    )
    cases = [Case() for _ in range(10)]
    stopping = asyncio.Event()

    async def is_told() -> bool:
        return len(house.broker.log("punctual.notices")) == 20

    async with asyncio.TaskGroup() as tasks:
        for component in (consumer, house.dispatcher, house.outbox):
            tasks.create_task(component.run(stopping))
        for case in cases:
            for event in (case.contact(), case.submitted(), case.clock()):
                await publish(house, event)
                await publish(house, event)
            await publish(house, case.event(RequestClosed(request_id=case.request_id, outcome="paid")), 2)
        await eventually(is_told)
        stopping.set()
    assert len(relay.mails) == 20
    types = {dict(record.headers)["ce_type"] for record in house.broker.log("punctual.notices")}
    assert types == {NoticeSent.event_type().encode()}
    assert {record.key for record in house.broker.log("punctual.notices")} == {
        str(case.request_id).encode() for case in cases
    }
