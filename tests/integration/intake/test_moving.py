"""Moves over HTTP: what the process allows is recorded and told in order, what it forbids is refused with a reason."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.life import replay
from services.intake.domain.visibility import EVERYTHING
from services.intake.store.lookups import find_by_reference
from shared.contracts.requests import RequestClosed, RequestStageEntered
from shared.contracts.topics import REQUESTS
from shared.ids import REFERENCE_ALPHABET, new_reference
from tests.integration.intake.front_door import START, Intake, write


async def test_a_claim_goes_its_way_to_payment(intake: Intake) -> None:
    view = await intake.submit()
    reference = view["reference"]
    moves: list[tuple[str, dict[str, str]]] = [
        ("stage", {"stage": "assessment", "handler": "s-104"}),
        ("pause", {"reason": "customer_documents"}),
        ("pause", {"reason": "third_party"}),
        ("response", {"handler": "s-104"}),
        ("resume", {"reason": "customer_documents"}),
        ("stage", {"stage": "documents"}),
        ("resume", {"reason": "third_party"}),
        ("control", {"control": "documents_complete"}),
        ("stage", {"stage": "assessment"}),
        ("stage", {"stage": "decision"}),
        ("stage", {"stage": "payment"}),
        ("close", {"outcome": "paid", "handler": "s-104"}),
    ]
    states = []
    for name, body in moves:
        intake.clock.advance(timedelta(minutes=1))
        answer = await intake.move(reference, name, **body)
        assert answer.status_code == 200, answer.text
        states.append(answer.json()["state"])
    assert states == ["open", *["paused"] * 5, *["open"] * 5, "closed"]
    view = (await intake.app.get(f"/v1/requests/{reference}")).json()
    assert view == answer.json()
    assert (view["outcome"], view["closed_at"], view["version"]) == ("paid", "2026-11-24T01:42:00Z", 13)
    assert [entry["sequence"] for entry in view["history"]] == list(range(1, 14))
    events = await intake.told_about(REQUESTS, view["id"])
    assert [event.sequence for event in events] == list(range(1, 14))
    assert events[1].data == RequestStageEntered(
        request_id=view["id"], from_stage="received", stage="assessment", handler="s-104"
    )
    assert events[-1].data == RequestClosed(request_id=view["id"], outcome="paid", handler="s-104")
    async with intake.database.connection() as connection:
        record = await find_by_reference(connection, reference, EVERYTHING)
    assert record is not None
    assert replay(record.history) == record.life


@pytest.mark.parametrize(
    ("name", "body", "field", "allowed"),
    [
        ("stage", {"stage": "payment"}, "stage", "assessment"),
        ("stage", {"stage": "no_such_stage"}, "stage", "assessment"),
        ("close", {"outcome": "paid"}, "outcome", "withdrawn"),
        ("pause", {"reason": "lunch"}, "reason", "customer_documents, third_party, customer_decision"),
        ("resume", {"reason": "third_party"}, "reason", "none"),
    ],
)
async def test_a_forbidden_move_is_refused_with_the_allowed_ones(
    intake: Intake, name: str, body: dict[str, str], field: str, allowed: str
) -> None:
    view = await intake.submit()
    answer = await intake.move(view["reference"], name, **body)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"].endswith(f"allowed: {allowed}")
    assert problem["errors"] == [{"field": field, "message": f"allowed: {allowed}"}]
    assert (await intake.app.get(f"/v1/requests/{view['reference']}")).json() == view


async def test_a_closed_request_stays_as_it_is(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    assert (await intake.move(reference, "close", outcome="withdrawn")).status_code == 200
    for name, body in (("response", {}), ("close", {"outcome": "withdrawn"}), ("stage", {"stage": "assessment"})):
        answer = await intake.move(reference, name, **body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:request_over")


async def test_news_may_be_late_but_not_from_before_the_submission_or_the_future(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    intake.clock.advance(timedelta(days=1))
    for occurred_at, status in (
        (START, 200),
        (START - timedelta(microseconds=1), 422),
        (START + timedelta(days=1, minutes=6), 422),
    ):
        answer = await intake.move(reference, "response", occurred_at=occurred_at.isoformat())
        assert answer.status_code == status
        if status == 422:
            assert [error["field"] for error in answer.json()["errors"]] == ["occurred_at"]
    view = (await intake.app.get(f"/v1/requests/{reference}")).json()
    assert (view["history"][-1]["occurred_at"], view["history"][-1]["recorded_at"]) == (
        "2026-11-24T01:30:00Z",
        "2026-11-25T01:30:00Z",
    )


async def test_a_request_is_reopened_after_its_closing_whenever_that_is_told(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    intake.clock.advance(timedelta(days=1))
    closed = (await intake.move(reference, "close", outcome="withdrawn")).json()
    intake.clock.advance(timedelta(days=120))
    early = await intake.move(reference, "reopen", reason="our_mistake", occurred_at=START.isoformat())
    assert (early.status_code, early.json()["type"]) == (422, "urn:punctual:problem:occurred_at_impossible")
    assert early.json()["errors"] == [{"field": "occurred_at", "message": "lies before the request was closed"}]
    assert (await intake.move(reference, "reopen", reason="our_mistake")).json()["status"] == 409  # too late
    late_news = await intake.move(reference, "reopen", reason="our_mistake", occurred_at=closed["closed_at"])
    assert (late_news.status_code, late_news.json()["state"]) == (200, "open")


@pytest.mark.parametrize(
    ("verb", "body"),
    [("close", {"outcome": "withdrawn"}), ("cancel", {"reason": "duplicate"}), ("merge", {"into": None})],
)
async def test_a_reopened_request_does_not_end_before_that(intake: Intake, verb: str, body: dict[str, Any]) -> None:
    body = {name: value or (await intake.submit())["reference"] for name, value in body.items()}
    reference = (await intake.submit())["reference"]
    await intake.move(reference, "close", outcome="withdrawn")
    intake.clock.advance(timedelta(hours=2))
    await intake.move(reference, "reopen", reason="our_mistake")
    early = await intake.move(reference, verb, **body, occurred_at=(START + timedelta(hours=1)).isoformat())
    assert early.status_code == 422, early.text
    assert early.json()["errors"] == [{"field": "occurred_at", "message": "lies before the request was reopened"}]
    at_once = await intake.move(reference, verb, **body, occurred_at=(START + timedelta(hours=2)).isoformat())
    assert at_once.status_code == 200, at_once.text


async def test_a_request_that_a_fast_clock_closed_is_reopened_not_before_that(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    ahead = (START + timedelta(minutes=4)).isoformat()
    closed = await intake.move(reference, "close", outcome="withdrawn", occurred_at=ahead)
    assert closed.status_code == 200
    answer = await intake.move(reference, "reopen", reason="our_mistake")
    assert answer.status_code == 200, answer.text
    assert answer.json()["history"][-1]["occurred_at"] == closed.json()["closed_at"]


async def test_a_move_right_after_a_submission_from_a_fast_clock_is_not_before_it(intake: Intake) -> None:
    view = await intake.submit(occurred_at=(START + timedelta(minutes=4)).isoformat())
    answer = await intake.move(view["reference"], "close", outcome="withdrawn")
    assert (answer.status_code, answer.json()["closed_at"]) == (200, view["submitted_at"])


async def test_concurrent_moves_are_numbered_without_holes(intake: Intake) -> None:
    view = await intake.submit()
    answers = await asyncio.gather(*(intake.move(view["reference"], "response") for _ in range(30)))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 32))
    assert [event.sequence for event in await intake.told_about(REQUESTS, view["id"])] == list(range(1, 32))


async def test_of_two_concurrent_moves_that_exclude_each_other_one_is_refused(intake: Intake) -> None:
    view = await intake.submit()
    await intake.move(view["reference"], "stage", stage="assessment")
    answers = await asyncio.gather(
        intake.move(view["reference"], "close", outcome="declined", reason="not_proved"),
        intake.move(view["reference"], "close", outcome="withdrawn"),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_channel_sees_and_moves_its_own_requests_only_and_staff_all(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    path = f"/v1/requests/{reference}"
    for answer in (
        await intake.web.get(path),
        await intake.web.post(f"{path}/stage", json={"stage": "assessment"}, headers=write()),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:punctual:problem:request_not_found")
    moved = await intake.staff.post(f"{path}/stage", json={"stage": "assessment"}, headers=write())
    assert moved.json()["history"][-1]["by"] == "staff"
    assert (await intake.staff.get(path)).json() == moved.json()
    unknown = await intake.staff.get(f"/v1/requests/{new_reference()}")
    assert unknown.json()["type"] == "urn:punctual:problem:request_not_found"


async def test_a_reference_is_understood_as_people_type_it(intake: Intake) -> None:
    view = await intake.submit()
    typed = view["reference"].lower().replace("-", " ")
    assert (await intake.app.get(f"/v1/requests/{typed}")).json() == view


async def test_a_mistyped_reference_says_so(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    other = REFERENCE_ALPHABET[(REFERENCE_ALPHABET.index(reference[0]) + 1) % len(REFERENCE_ALPHABET)]
    mistyped = other + reference[1:]
    for answer in (
        await intake.app.get(f"/v1/requests/{mistyped}"),
        await intake.app.post(f"/v1/requests/{mistyped}/response", json={}, headers=write()),
        await intake.app.get("/v1/requests/%00"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:punctual:problem:reference_mistyped")
    for list_ in ("/v1/requests", "/v1/audit"):
        answer = await intake.staff.get(list_, params={"reference": mistyped})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query:reference")


async def test_what_a_request_gathers_has_an_end(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = (await intake.submit(attributes={"amount": 1}))["reference"]
    for first, count, value, status in ((0, 60, 1, 200), (60, 4, 1, 422), (60, 3, 1, 200), (0, 60, 2, 200)):
        attributes = {f"a{number}": value for number in range(first, first + count)}
        answer = await intake.move(reference, "change", reason="called", attributes=attributes)
        assert answer.status_code == status, answer.text
    answer = await intake.move(reference, "change", reason="called", attributes={"new": 1})
    assert [error["field"] for error in answer.json()["errors"]] == ["attributes"]
    for reason, status in (("customer_documents", 200), ("third_party", 422)):
        documents = [f"{reason}_{number}" for number in range(40)]
        answer = await intake.move(reference, "pause", reason=reason, documents=documents)
        assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == ["documents"]

    monkeypatch.setattr("services.intake.domain.bounds.MOST_ENTRIES", 5)
    answer = await intake.move(reference, "note", text="and so on")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:history_full")
    assert (await intake.move(reference, "resume", reason="customer_documents")).status_code == 200
    other = (await intake.submit())["reference"]
    answer = await intake.move(other, "merge", into=reference)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:punctual:problem:history_full")
    assert [error["field"] for error in answer.json()["errors"]] == ["into"]
    monkeypatch.setattr("services.intake.domain.bounds.RESERVED", 1)
    assert (await intake.move(reference, "response")).status_code == 409
    assert (await intake.move(reference, "cancel", reason="duplicate")).status_code == 200


async def test_a_wrong_reference_in_a_body_is_named(intake: Intake) -> None:
    reference = (await intake.submit())["reference"]
    for into, code in (("K7M4Q-2XD9D", "reference_mistyped"), (new_reference(), "request_not_found")):
        answer = await intake.move(reference, "merge", into=into)
        assert (answer.status_code, answer.json()["type"]) == (404, f"urn:punctual:problem:{code}")
        assert [error["field"] for error in answer.json()["errors"]] == ["into"]
    unknown = await intake.move(new_reference(), "merge", into=reference)
    assert (unknown.status_code, unknown.json()["errors"]) == (404, [])
