"""The whole inner path: broker, inbox, frame, outbox, broker. However often repeated, a request is framed once."""

from __future__ import annotations

import asyncio

from services.quality_audit.consumer import TOPICS, QualityEvents
from shared.contracts.envelope import encode
from shared.contracts.topics import DEADLETTERS
from shared.inbox import InboxConsumer, Ownership
from shared.kafka import OutgoingRecord
from shared.testing.plumbing import wait_until
from tests.integration.quality_audit.audit import Audit, Story, topic_of


async def test_requests_and_clocks_in_any_order_and_twice_have_their_effect_once(audit: Audit) -> None:
    stories = [Story() for _ in range(20)]
    clocks = [event for story in stories for event in (story.started(), story.met())]
    requests = [event for story in stories for event in (story.submitted(), story.staged("h1"), story.closed())]
    orphan = Story()
    orphan.submitted()
    lost = orphan.closed()
    events = [*clocks, *requests, *requests, lost, *clocks]
    await audit.broker.append([OutgoingRecord(topic_of(event).name, *encode(event)) for event in events])
    consumer = InboxConsumer(
        service="quality_audit",
        database=audit.database,
        subscription=audit.broker.subscription([topic.name for topic in TOPICS], group="quality_audit"),
        handler=QualityEvents(audit.framing()),
        ownership=Ownership(audit.database, "quality_audit", "test"),
        outbox=audit.outbox,
        clock=audit.clock,
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(consumer.run(stopping))

    async def all_heard() -> bool:
        rows = await audit.as_admin("SELECT sum(next_offset) AS heard FROM inbox_position")
        return bool(rows[0]["heard"] == len(events))

    await wait_until(all_heard)
    stopping.set()
    await running

    assert set(await audit.frame()) == {story.request_id for story in stories}
    told = await audit.told()
    assert sorted(event.subject for event in told) == sorted(story.request_id for story in stories)
    assert {event.sequence for event in told} == {1}
    assert (await audit.score())["timeliness"]["met"] == 20
    (letter,) = audit.broker.log(DEADLETTERS.name)
    assert b"unknown_request" in (letter.value or b"")
