"""Every closed request becomes part of the frame exactly once, and the hash alone decides what is reviewed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
import pytest

from services.quality_audit.domain.frame import frame_unit
from services.quality_audit.domain.plan import Facts
from services.quality_audit.domain.plan_text import parse_plan
from services.quality_audit.domain.selection import UnitId, commitment, secret_of_period
from services.quality_audit.settings import PLAN_OF_THE_HOUSE
from services.quality_audit.store.frame import frame_of
from shared.contracts.clocks import ClockBreached, ClockCancelled
from shared.contracts.envelope import Tombstone
from shared.contracts.payload import RequestKind
from shared.contracts.quality import SampleDrawn
from shared.contracts.topics import CLOCKS, REQUESTS
from shared.errors import ConfigurationError
from shared.ids import new_id
from tests.integration.quality_audit.audit import EVERY_CASE, MASTER, NOW, PERIOD, Audit, Story, received

HOUSE = parse_plan(PLAN_OF_THE_HOUSE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("outcome", ["paid", "declined", "withdrawn", "an_outcome_of_next_year"])
async def test_every_ending_enters_the_frame(audit: Audit, outcome: str) -> None:
    story = await audit.close_request(outcome)
    line = (await audit.frame())[story.request_id]
    assert (line["outcome"], line["period"], line["closed_at"]) == (outcome, PERIOD, NOW)


async def test_a_sampled_request_is_listed_and_said(audit: Audit) -> None:
    story, closed_at = Story(), NOW - timedelta(hours=1)
    await audit.hear(story.submitted(), story.closed(closed_at=closed_at))
    sample = await audit.sample_of(story)
    (event,) = await audit.told()
    assert isinstance(event.data, SampleDrawn)
    assert (str(event.data.sample_id), event.data.reference) == (sample["id"], story.reference)
    assert (event.data.stratum, event.data.rate, event.data.period) == ("claim.ordinary", 1.0, PERIOD)
    assert (event.source, event.subject, event.sequence) == ("/punctual/quality_audit", story.request_id, 1)
    assert (event.occurred_at, event.recorded_at, event.correlation_id) == (closed_at, NOW, "follow-me")
    assert event.traceparent.split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


async def test_a_second_closing_is_rejected_and_changes_nothing(audit: Audit) -> None:
    story = await audit.close_request()
    (again,) = await audit.hear(story.closed("declined"))
    assert again.reason == "already_closed"
    twice = Story()
    (second,) = await audit.hear(twice.submitted(), twice.closed(), twice.closed("declined"))
    assert second.reason == "already_closed"
    frame = await audit.frame()
    assert {line["outcome"] for line in frame.values()} == {"paid"}
    assert len(await audit.told()) == 2


async def test_a_reopened_request_is_a_unit_of_its_own_when_it_is_closed_again(audit: Audit) -> None:
    story = Story()
    assert not await audit.hear(story.submitted(), story.closed(), story.reopened(), story.closed("declined"))
    assert not await audit.hear(story.reopened())
    assert not await audit.hear(story.closed("withdrawn"))
    rows = await audit.as_admin("SELECT cycle, outcome FROM frame_unit ORDER BY cycle")
    assert [tuple(row) for row in rows] == [(1, "paid"), (2, "declined"), (3, "withdrawn")]
    assert [event.sequence for event in await audit.told()] == [1, 2, 3]
    (again,) = await audit.hear(story.closed())
    assert again.reason == "already_closed"


async def test_the_closing_of_a_request_nobody_submitted_is_rejected(audit: Audit) -> None:
    good, unknown = Story(), Story()
    (rejection,) = await audit.hear(good.submitted(), unknown.closed(), good.closed())
    assert rejection.reason == "unknown_request"
    assert set(await audit.frame()) == {good.request_id}


async def test_what_no_figure_could_count_is_rejected_or_counted_but_stops_nothing(audit: Audit) -> None:
    audit.plan_text = HOUSE
    huge, late = Story(attributes={"amount": 10**400}), Story()
    last = datetime.max.replace(tzinfo=UTC)
    (rejection,) = await audit.hear(huge.submitted(), late.submitted(), late.closed(closed_at=last), huge.closed())
    assert rejection.reason == "no_period"
    assert {request_id: line["risk"] for request_id, line in (await audit.frame()).items()} == {
        huge.request_id: "high_amount"
    }
    proof = (await audit.staff.get("/v1/proof", params={"period": PERIOD})).json()
    assert (proof["units"], proof["differing"]) == (1, 0)


async def test_what_cannot_be_an_event_of_the_topic_is_rejected(audit: Audit) -> None:
    story = Story()
    stranger = replace(story.submitted(), subject=new_id())
    tombstone = replace(received(story.submitted()), event=Tombstone(story.request_id))
    batch = [received(story.started(), REQUESTS), received(story.closed(), CLOCKS), received(stranger), tombstone]
    reasons = [rejection.reason for rejection in await audit.hear_received(batch)]
    assert reasons == ["unexpected_type", "unexpected_type", "subject_mismatch", "unexpected_tombstone"]


async def test_the_sample_is_what_plan_and_secret_dictate_in_any_order_and_batches(audit: Audit) -> None:
    audit.plan_text = HOUSE
    chance = Random(3)
    stories = [Story(kind=chance.choice(list(RequestKind))) for _ in range(300)]
    await audit.hear(*[story.submitted() for story in stories])
    chance.shuffle(stories)
    closings = [story.closed(chance.choice(["paid", "declined"])) for story in stories]
    while closings:
        size = chance.randint(1, 40)
        assert await audit.hear(*closings[:size]) == []
        del closings[:size]
    frame = await audit.frame()
    assert len(frame) == 300
    for request_id, line in frame.items():
        facts = Facts(RequestKind(line["kind"]), line["outcome"], None, {})
        unit = frame_unit(UnitId(request_id, 1), facts, NOW, HOUSE.plan, MASTER)
        assert (line["ticket"], line["ticket_limit"], line["risk"]) == (unit.ticket, unit.limit, unit.risk)
        assert line["is_sampled"] == unit.is_sampled
    sampled = {str(request_id) for request_id, line in frame.items() if line["is_sampled"]}
    assert {sample["request_id"] for sample in await audit.samples()} == sampled
    assert 15 <= len(sampled) <= 75


async def test_the_stratum_follows_the_facts_known_at_the_closing(audit: Audit) -> None:
    late, timely, unheard = Story(), Story(), Story()
    await audit.hear(late.submitted(), timely.submitted(), unheard.submitted())
    await audit.hear(late.started(), late.clock(ClockBreached), timely.started())
    await audit.hear(late.closed(), timely.closed(), unheard.closed())
    frame = await audit.frame()
    assert [frame[s.request_id]["is_breached"] for s in (late, timely, unheard)] == [True, False, None]
    assert [frame[s.request_id]["risk"] for s in (late, timely, unheard)] == ["breached", "ordinary", "ordinary"]
    await audit.hear(timely.clock(ClockBreached))
    assert (await audit.frame())[timely.request_id]["risk"] == "ordinary"


async def test_clock_events_may_come_before_the_request_is_known(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.started(), story.clock(ClockBreached))
    await audit.hear(story.submitted(), story.closed())
    assert (await audit.frame())[story.request_id]["is_breached"] is True
    assert (await audit.score(kind="claim"))["timeliness"]["missed"] == 1


async def test_the_fate_of_a_clock_is_remembered_between_batches(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.submitted(), story.started(), story.clock(ClockBreached))
    await audit.hear(story.clock(ClockCancelled, cancelled_at=NOW, reason="withdrawn"))
    await audit.hear(story.closed("withdrawn"))
    assert (await audit.frame())[story.request_id]["is_breached"] is True


async def test_the_frame_is_read_page_by_page(audit: Audit) -> None:
    stories = [await audit.close_request() for _ in range(7)]
    async with audit.database.connection() as connection:
        pages = [page async for page in frame_of(connection, PERIOD, page_size=3)]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [unit.id.request_id for page in pages for unit in page] == sorted(story.request_id for story in stories)


async def test_the_amount_decides_the_stratum(audit: Audit) -> None:
    audit.plan_text = HOUSE
    story = await audit.close_request(attributes={"amount": 250_000, "workshop": "HK-017"})
    line = (await audit.frame())[story.request_id]
    assert (line["risk"], line["rate"], line["attributes"]) == ("high_amount", 0.25, '{"amount": 250000}')


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_a_closing_freezes_what_the_request_was_changed_to_before_it(audit: Audit, is_one_batch: bool) -> None:
    audit.plan_text = HOUSE
    story = Story(attributes={"amount": 1_000, "workshop": "HK-017"})
    events = [
        story.submitted(),
        story.changed(attributes={"amount": 1_000_000}),
        story.closed(),
        story.reopened(),
        story.changed(attributes={"amount": 2_000}, kind="complaint"),
        story.closed(),
        story.reopened(),
        story.changed(attributes={"workshop": "HK-018"}),
    ]
    for batch in [events] if is_one_batch else [[event] for event in events]:
        assert not await audit.hear(*batch)
    assert not await audit.hear(story.closed())
    rows = await audit.as_admin("SELECT kind, risk, attributes::json ->> 'amount' FROM frame_unit ORDER BY cycle")
    ordinary = ("complaint", "ordinary", "2000")
    assert [tuple(row) for row in rows] == [("claim", "high_amount", "1000000"), ordinary, ordinary]
    (known,) = await audit.as_admin("SELECT attributes::json ->> 'workshop' AS workshop FROM request")
    assert known["workshop"] == "HK-018"


async def test_changes_of_a_request_that_nobody_submitted_are_passed_over(audit: Audit) -> None:
    assert not await audit.hear(Story().changed(attributes={"amount": 1}))


async def test_a_request_belongs_to_the_quarter_it_closed_in(audit: Audit) -> None:
    story = Story()
    closed_at = datetime(2026, 9, 30, 15, 59, 59, tzinfo=UTC)  # one second before midnight in Hong Kong
    await audit.hear(story.submitted(), story.closed(closed_at=closed_at))
    assert (await audit.frame())[story.request_id]["period"] == "2026Q3"


async def test_a_period_keeps_the_plan_it_began_with(audit: Audit) -> None:
    await audit.close_request()
    audit.plan_text = parse_plan(EVERY_CASE.text.replace("rate: 1", "rate: 0.005"))
    story = await audit.close_request()
    assert (await audit.frame())[story.request_id]["rate"] == 1
    following = Story()
    await audit.hear(following.submitted(), following.closed(closed_at=NOW + timedelta(days=60)))
    assert (await audit.frame())[following.request_id]["rate"] == 0.005


async def test_a_period_that_began_with_longer_names_than_a_file_may_have_goes_on(audit: Audit) -> None:
    text = EVERY_CASE.text.replace("ordinary", "o" * 64)
    audit.plan_text = parse_plan(text, is_stored=True)
    await audit.close_request()
    audit.plan_text = EVERY_CASE
    await audit.framing().check_secret(audit.database)
    story = await audit.close_request()
    assert (await audit.frame())[story.request_id]["risk"] == "o" * 64
    assert [event.data.stratum for event in await audit.told() if isinstance(event.data, SampleDrawn)] == [
        "claim." + "o" * 58
    ] * 2
    assert (await audit.sample_of(story))["stratum"] == "claim." + "o" * 64


async def test_a_period_begins_with_a_commitment_to_its_secret(audit: Audit) -> None:
    await audit.close_request()
    (period,) = await audit.as_admin("SELECT * FROM sampling_period")
    assert period["secret_commitment"] == commitment(secret_of_period(MASTER, PERIOD))
    assert (period["plan_digest"], period["opened_at"]) == (EVERY_CASE.digest, NOW)


async def test_another_secret_in_the_middle_of_a_period_stops_the_service(audit: Audit) -> None:
    await audit.framing().check_secret(audit.database)
    await audit.close_request()
    await audit.framing().check_secret(audit.database)
    audit.master = b"somebody tries secrets until he likes the sample"
    with pytest.raises(ConfigurationError, match="PUNCTUAL_QUALITY_AUDIT_SAMPLING_SECRET is not the one 2026Q4 was"):
        await audit.framing().check_secret(audit.database)
    story = Story()
    with pytest.raises(ConfigurationError):
        await audit.hear(story.submitted(), story.closed())
    assert story.request_id not in await audit.frame()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE frame_unit SET risk = 'ordinary'",
        "DELETE FROM frame_unit",
        "UPDATE sample SET purpose = 'directed'",
        "DELETE FROM sample",
        "UPDATE review SET is_accurate = true",
        "DELETE FROM review",
        "UPDATE sampling_period SET plan_text = ''",
        "DELETE FROM request_handler",
    ],
)
async def test_the_service_itself_cannot_rewrite_history(audit: Audit, tampering: str) -> None:
    async with audit.database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(tampering)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE frame_unit SET is_sampled = NOT is_sampled",
        "UPDATE frame_unit SET ticket_limit = NULL",
        "UPDATE frame_unit SET ticket = ticket_limit",
        "UPDATE frame_unit SET rate = 0",
        "INSERT INTO sample SELECT gen_random_uuid(), request_id, cycle, purpose, drawn_at FROM sample",
    ],
)
async def test_the_schema_refuses_a_choice_that_contradicts_its_ticket(audit: Audit, tampering: str) -> None:
    audit.plan_text = parse_plan(EVERY_CASE.text.replace("rate: 1", "rate: 0.99"))
    for _ in range(3):
        await audit.close_request()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await audit.as_admin(tampering)
