"""Staff list samples and review them; a review is frozen when it is given."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.quality import ReviewCompleted
from shared.contracts.topics import QUALITY
from shared.ids import new_id
from tests.integration.quality_audit.audit import NOW, Audit, Story


async def test_open_samples_are_listed_oldest_first_with_their_weight(audit: Audit) -> None:
    stories = [await audit.close_request() for _ in range(3)]
    listed = await audit.samples(state="open")
    assert [sample["request_id"] for sample in listed] == [str(story.request_id) for story in stories]
    first = listed[0]
    assert first["reference"] == stories[0].reference
    assert (first["kind"], first["outcome"], first["stratum"]) == ("claim", "paid", "claim.ordinary")
    assert (first["rate"], first["weight"], first["purpose"], first["state"]) == (1.0, 1.0, "estimate", "open")
    assert first["review"] is None


async def test_a_long_list_is_read_page_by_page(audit: Audit) -> None:
    for _ in range(5):
        await audit.close_request()
    seen: list[str] = []
    after = None
    while True:
        parameters = {"limit": 2, **({"after": after} if after else {})}
        page = (await audit.staff.get("/v1/samples", params=parameters)).json()
        seen += [sample["id"] for sample in page["samples"]]
        after = page["after"]
        if after is None:
            break
    assert seen == [sample["id"] for sample in await audit.samples()]
    assert len(seen) == 5


async def test_a_review_is_taken_said_and_moves_the_sample(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.submitted(), story.started(), story.closed())
    await audit.hear(story.met())
    sample = await audit.sample_of(story)
    answer = await audit.review(
        sample["id"], is_accurate=False, error_causes=["wrong_rate", "wrong_payee", "wrong_rate"]
    )
    assert answer.status_code == 201
    assert answer.json()["state"] == "reviewed"
    review = answer.json()["review"]
    assert (review["is_accurate"], review["is_complete"], review["is_timely"]) == (False, True, True)
    assert review["error_causes"] == ["wrong_payee", "wrong_rate"]
    assert await audit.samples(state="open") == []
    assert [s["id"] for s in await audit.samples(state="reviewed")] == [sample["id"]]
    assert (await audit.staff.get(f"/v1/samples/{sample['id']}")).json() == answer.json()
    drawn, completed = await audit.told()
    assert (drawn.sequence, completed.sequence) == (1, 2)
    assert isinstance(completed.data, ReviewCompleted)
    assert completed.correlation_id == answer.headers["x-correlation-id"]
    assert completed.data == ReviewCompleted(
        review_id=UUID(review["id"]),
        sample_id=UUID(sample["id"]),
        request_id=story.request_id,
        reviewer="r1",
        is_accurate=False,
        is_complete=True,
        is_timely=True,
        error_causes=("wrong_payee", "wrong_rate"),
    )
    assert (completed.occurred_at, completed.recorded_at) == (NOW, NOW)


async def test_timeliness_is_taken_from_the_clocks(audit: Audit) -> None:
    unknown, late = await audit.close_request(), Story()
    await audit.hear(late.submitted(), late.started(), late.closed())
    await audit.hear(late.missed())
    assert (await audit.review((await audit.sample_of(unknown))["id"])).json()["review"]["is_timely"] is None
    assert (await audit.review((await audit.sample_of(late))["id"])).json()["review"]["is_timely"] is False


@pytest.mark.parametrize("is_one_batch", [True, False])
@pytest.mark.parametrize("is_first_timely", [True, False])
async def test_each_closing_is_judged_by_the_clocks_of_its_own_cycle(
    audit: Audit, is_first_timely: bool, is_one_batch: bool
) -> None:
    story, hour = Story(), timedelta(hours=1)
    requests = [story.submitted(), story.closed(closed_at=NOW - 4 * hour), story.reopened(NOW - 3 * hour)]
    first, second = (story.met, story.missed) if is_first_timely else (story.missed, story.met)
    clocks = [story.started(NOW - 5 * hour), first(cycle=1), story.started(NOW - 3 * hour, cycle=2)]
    events = [*clocks, *requests]
    for batch in [events] if is_one_batch else [[event] for event in events]:
        assert not await audit.hear(*batch)
    (sample,) = await audit.samples()
    review = (await audit.review(sample["id"])).json()["review"]
    assert review["is_timely"] is is_first_timely  # although the clock of the second cycle runs
    assert not await audit.hear(second(cycle=2), story.closed(closed_at=NOW - 2 * hour))
    rows = await audit.as_admin("SELECT is_breached FROM frame_unit ORDER BY cycle")
    assert [row["is_breached"] for row in rows] == [not is_first_timely, is_first_timely]
    (sample,) = await audit.samples(state="open")
    assert (await audit.review(sample["id"])).json()["review"]["is_timely"] is not is_first_timely
    completed = [event.data for event in await audit.told() if isinstance(event.data, ReviewCompleted)]
    assert [data.is_timely for data in completed] == [is_first_timely, not is_first_timely]


async def test_a_clock_whose_start_was_never_heard_counts_for_its_request(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.submitted(), story.missed(), story.closed())
    assert (await audit.review((await audit.sample_of(story))["id"])).json()["review"]["is_timely"] is False


async def test_the_same_review_again_changes_nothing(audit: Audit) -> None:
    sample = await audit.sample_of(await audit.close_request())
    first = await audit.review(sample["id"], error_causes=["b", "a"])
    again = await audit.review(sample["id"], error_causes=["a", "b"])
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(await audit.told()) == 2


@pytest.mark.parametrize(
    "other",
    [{"is_accurate": False}, {"is_complete": False}, {"reviewer": "r2"}, {"error_causes": ["late_thought"]}],
)
async def test_another_review_is_refused(audit: Audit, other: dict[str, object]) -> None:
    sample = await audit.sample_of(await audit.close_request())
    await audit.review(sample["id"])
    answer = await audit.review(sample["id"], **other)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:punctual:problem:already_reviewed"
    assert (await audit.sample_of_id(sample["id"]))["review"]["is_accurate"] is True


async def test_of_two_reviewers_at_once_one_is_taken(audit: Audit) -> None:
    sample = await audit.sample_of(await audit.close_request())
    answers = await asyncio.gather(*(audit.review(sample["id"], reviewer=f"r{number}") for number in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert [event.sequence for event in await audit.told()] == [1, 2]


async def test_nobody_reviews_a_case_of_his_own(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.submitted(), story.staged("h7"), story.closed(handler="h9"))
    sample = await audit.sample_of(story)
    for handler in ("h7", "h9"):
        answer = await audit.review(sample["id"], reviewer=handler)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:own_case")
    assert (await audit.review(sample["id"], reviewer="r1")).status_code == 201


async def test_who_wrote_a_move_is_known_without_being_named_as_handler(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.submitted(), story.left(by="anna"), story.closed(by="bo"))
    sample = await audit.sample_of(story)
    for author in ("anna", "bo"):
        answer = await audit.review(sample["id"], reviewer=author)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:own_case")
    assert (await audit.review(sample["id"], reviewer="r1")).status_code == 201


ADDRESS = "anna@insurer.example"


@pytest.mark.parametrize("named", [{}, {"reviewer": ADDRESS}])
async def test_who_is_known_by_an_address_reviews_and_no_event_tells_it(audit: Audit, named: dict[str, str]) -> None:
    sample = await audit.sample_of(await audit.close_request())
    answer = await audit.review_as(ADDRESS, sample["id"], **named)
    assert (answer.status_code, answer.json()["review"]["reviewer"]) == (201, ADDRESS)
    assert (await audit.review_as(ADDRESS, sample["id"])).status_code == 200
    _, completed = await audit.told()
    assert isinstance(completed.data, ReviewCompleted)
    assert completed.data.reviewer == "unnamed"
    assert not any(ADDRESS.encode() in part for part in _parts(audit))


def _parts(audit: Audit) -> list[bytes]:
    records = audit.broker.log(QUALITY.name)
    return [part for r in records for part in (r.value or b"", *(header for _, header in r.headers))]


async def test_who_is_known_by_an_address_does_not_review_a_case_of_his_own(audit: Audit) -> None:
    story = Story()
    await audit.hear(story.submitted(), story.closed(by=ADDRESS))
    answer = await audit.review_as(ADDRESS, (await audit.sample_of(story))["id"])
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:own_case")


async def test_samples_are_for_staff(audit: Audit) -> None:
    sample = await audit.sample_of(await audit.close_request())
    body = {"reviewer": "r1", "is_accurate": True, "is_complete": True}
    for path in ("/v1/samples", f"/v1/samples/{sample['id']}", "/v1/proof?period=2026Q4"):
        assert (await audit.app.get(path)).status_code == 403
        assert (await audit.nobody.get(path)).status_code == 401
    for client, status in ((audit.app, 403), (audit.nobody, 401)):
        answer = await client.post(f"/v1/samples/{sample['id']}/review", json=body)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reviewer": None}, "reviewer"),
        ({"reviewer": "Mrs. Chan, second floor"}, "reviewer"),
        ({"reviewer": ""}, "reviewer"),
        ({"reviewer": "n" * 129}, "reviewer"),
        ({"reviewer": "r\u0000"}, "reviewer"),
        ({"is_accurate": "yes"}, "is_accurate"),
        ({"is_accurate": 1}, "is_accurate"),
        ({"is_timely": True}, "is_timely"),
        ({"error_causes": ["what people write"]}, "error_causes.0"),
        ({"error_causes": "wrong_payee"}, "error_causes"),
        ({"error_causes": [f"c{number}" for number in range(21)]}, "error_causes"),
    ],
)
async def test_a_wrong_field_is_named(audit: Audit, change: dict[str, object], field: str) -> None:
    sample = await audit.sample_of(await audit.close_request())
    answer = await audit.review(sample["id"], **change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await audit.sample_of_id(sample["id"]))["review"] is None


async def test_broken_json_is_told(audit: Audit) -> None:
    sample = await audit.sample_of(await audit.close_request())
    headers = {"Content-Type": "application/json"}
    answer = await audit.staff.post(f"/v1/samples/{sample['id']}/review", content=b'{"reviewer": ', headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:punctual:problem:broken_json")


async def test_an_unknown_sample_is_told(audit: Audit) -> None:
    for answer in (await audit.staff.get(f"/v1/samples/{new_id()}"), await audit.review(str(new_id()))):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:punctual:problem:sample_not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "query:state"),
        ("limit=0", "query:limit"),
        ("limit=501", "query:limit"),
        ("after=x", "query:after"),
    ],
)
async def test_a_wrong_query_is_told(audit: Audit, query: str, field: str) -> None:
    answer = await audit.staff.get(f"/v1/samples?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
