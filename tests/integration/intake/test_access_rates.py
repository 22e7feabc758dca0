"""A key that calls too often is told so, and the lines of a batch wait for their turn."""

from __future__ import annotations

import json
from dataclasses import replace

from services.intake.api.rate_limits import RateLimits
from services.intake.domain.rate import Rate
from tests.integration.intake.front_door import SUBMISSION, Intake, write

LINES = {"Content-Type": "application/x-ndjson"}


async def test_a_key_that_calls_too_often_is_told_when_to_come_again(intake: Intake) -> None:
    context = replace(intake.context, limits=RateLimits(Rate(0.5, 2), elapsed=lambda: 0.0))
    app, web = intake.connect(context, "app"), intake.connect(context, "web")
    first = await app.get("/v1/summary")
    told = {name: value for name, value in first.headers.items() if name.startswith("ratelimit")}
    assert told == {"ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "2"}
    await app.get("/v1/summary")
    refused = await app.post("/v1/requests", json=SUBMISSION, headers=write())
    assert (refused.status_code, refused.json()["type"]) == (429, "urn:punctual:problem:too_many_calls")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.headers["retry-after"], refused.headers["ratelimit-remaining"]) == ("2", "0")
    assert (await web.get("/v1/summary")).is_success
    assert (await app.get("/v1/clock")).is_success


async def test_a_key_may_have_a_rate_of_its_own(intake: Intake) -> None:
    body = {"name": "slow", "role": "channel", "scopes": ["read"], "rate_per_second": 0.01, "burst": 1}
    made = (await intake.staff.post("/v1/keys", json=body, headers=write())).json()
    slow = intake.call_with(intake.context, made["key"])
    assert [(await slow.get("/v1/summary")).status_code for _ in range(2)] == [200, 429]
    assert "ratelimit-limit" not in (await intake.app.get("/v1/summary")).headers


async def test_the_lines_of_a_batch_wait_for_their_turn(intake: Intake) -> None:
    app = intake.connect(replace(intake.context, limits=RateLimits(Rate(50, 1))), "app")
    answers = (await app.post("/v1/requests:batch", content=lines(4), headers=LINES)).text.splitlines()
    assert [json.loads(line)["status"] for line in answers] == [201] * 4


async def test_a_batch_whose_turn_does_not_come_is_told_where_to_resume(intake: Intake) -> None:
    context = replace(intake.context, limits=RateLimits(Rate(0.01, 4), elapsed=lambda: 0.0))
    answer = await intake.connect(context, "app").post("/v1/requests:batch", content=lines(4), headers=LINES)
    *accepted, last = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["status"] for line in accepted] == [201, 201]
    assert (last["resume_from"], last["status"], last["retry_after_seconds"]) == (3, 429, 100)


def lines(count: int) -> bytes:
    keys = [write()["Idempotency-Key"] for _ in range(count)]
    return b"".join(json.dumps(SUBMISSION | {"idempotency_key": key}).encode() + b"\n" for key in keys)
