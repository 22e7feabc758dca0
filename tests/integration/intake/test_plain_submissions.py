"""A plain submission is taken a shorter way than the framework's, and nobody can tell which it was."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import Histogram
from starlette.types import Receive, Scope, Send

from services.intake.api.plain_submissions import PlainSubmissions
from services.intake.api.rate_limits import RateLimits
from services.intake.domain.rate import Rate
from shared.telemetry.metrics import HTTP_SECONDS
from tests.integration.intake.front_door import SUBMISSION, Intake, write

PLAIN, FRAMEWORK = "application/json", "application/json; charset=utf-8"
"""The second is as good, and not plain."""

_NEW = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[2-9A-Z]{5}-[2-9A-Z]{5}|/t/[\w-]{22}|[0-9a-f]{32}|(?<=\.)[0-9a-f]{8}(?=\")"
)  # ids, references, tokens, correlation ids, digests of ETags


async def _answer(client: httpx.AsyncClient, content_type: str, content: Any, **headers: str | bytes) -> dict[str, Any]:
    """Status, headers and body, with what is new each time blotted out."""
    sent: list[tuple[bytes, bytes]] = [(b"Content-Type", content_type.encode())]
    sent += [(name.encode(), text if isinstance(text, bytes) else text.encode()) for name, text in headers.items()]
    answer = await client.post("/v1/requests", content=content, headers=sent)
    told = sorted((name, _NEW.sub("new", value)) for name, value in answer.headers.items())
    return {"status": answer.status_code, "headers": told, "body": _NEW.sub("new", answer.text)}


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 50):
        yield content[start : start + 50]


WHOLE = json.dumps(SUBMISSION, ensure_ascii=False).encode()

CALLS = {
    "a good one": WHOLE,
    "in the escapes of JSON": json.dumps(SUBMISSION).encode(),
    "broken": b'{"kind":',
    "no UTF-8": b'{"kind": "\xff"}',
    "another encoding": json.dumps(SUBMISSION).encode("utf-16"),
    "nothing": b"",
    "a wrong field": json.dumps(SUBMISSION | {"kind": "lottery"}).encode(),
    "an unknown field": json.dumps(SUBMISSION | {"amount": 5}).encode(),
    "an instant in the future": json.dumps(SUBMISSION | {"occurred_at": "2027-01-01T00:00:00Z"}).encode(),
    "refused by a rule": json.dumps(SUBMISSION | {"attributes": {"amount": -5}}).encode(),
    "doubted": json.dumps(SUBMISSION | {"attributes": {"currency": "dollars"}}).encode(),
    "too large": b" " * 1_000_001,
}


@pytest.mark.parametrize("name", CALLS)
async def test_the_answer_is_the_same_either_way(intake: Intake, name: str) -> None:
    plain = await _answer(intake.app, PLAIN, CALLS[name], **write())
    assert plain == await _answer(intake.app, FRAMEWORK, CALLS[name], **write())


async def test_a_body_that_comes_in_pieces_is_put_together(intake: Intake) -> None:
    plain = await _answer(intake.app, PLAIN, _pieces(WHOLE), **write())
    assert plain["status"] == 201
    assert plain == await _answer(intake.app, FRAMEWORK, _pieces(WHOLE), **write())


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "größe"])
async def test_a_key_that_is_none_is_refused_either_way(intake: Intake, key: str) -> None:
    headers = {"Idempotency-Key": key.encode()} if key else {}
    plain = await _answer(intake.app, PLAIN, WHOLE, **headers)
    assert plain["status"] == 400
    assert plain == await _answer(intake.app, FRAMEWORK, WHOLE, **headers)


async def test_whoever_may_not_submit_is_refused_either_way(intake: Intake) -> None:
    for client, status in ((intake.nobody, 401), (intake.person("ann", "handler"), 403)):
        plain = await _answer(client, PLAIN, WHOLE, **write())
        assert plain["status"] == status
        assert plain == await _answer(client, FRAMEWORK, WHOLE, **write())


async def test_a_repeat_gets_the_first_answer_whichever_way_each_went(intake: Intake) -> None:
    for first, second in ((PLAIN, FRAMEWORK), (FRAMEWORK, PLAIN), (PLAIN, PLAIN)):
        key = write()
        answers = [
            await intake.app.post("/v1/requests", content=WHOLE, headers=key | {"Content-Type": content_type})
            for content_type in (first, second)
        ]
        assert answers[0].text == answers[1].text
        assert answers[0].headers["location"] == answers[1].headers["location"]
        assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true"]
        reused = await _answer(intake.app, PLAIN, CALLS["in the escapes of JSON"], **key)
        assert reused == await _answer(intake.app, FRAMEWORK, CALLS["in the escapes of JSON"], **key)


async def test_each_call_counts_once_at_its_keys_limit(intake: Intake) -> None:
    app = intake.with_context(limits=RateLimits(Rate(0.01, 3), elapsed=lambda: 0.0))
    left = []
    for content in (WHOLE, CALLS["a wrong field"], WHOLE, WHOLE):
        answer = await app.post("/v1/requests", content=content, headers=write() | {"Content-Type": PLAIN})
        left.append((answer.status_code, answer.headers["ratelimit-remaining"]))
    assert left == [(201, "2"), (422, "1"), (201, "0"), (429, "0")]


async def test_only_what_is_not_plain_reaches_the_framework(intake: Intake) -> None:
    async def framework(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 299})
        await send({"type": "http.response.body"})

    transport = intake.app._transport
    assert isinstance(transport, httpx.ASGITransport)
    access = cast(FastAPI, transport.app).state.access
    shorter = httpx.ASGITransport(PlainSubmissions(framework, intake.context, access))
    async with httpx.AsyncClient(transport=shorter, base_url="http://intake", headers=intake.app.headers) as client:
        calls = (
            (PLAIN, WHOLE),
            (FRAMEWORK, WHOLE),
            (PLAIN, CALLS["a wrong field"]),
            (PLAIN, CALLS["refused by a rule"]),
        )
        statuses = [(await _answer(client, *call, **write()))["status"] for call in calls]
        assert statuses == [201, 299, 299, 422]
        assert (await client.get("/v1/requests")).status_code == 299


async def test_it_is_measured_as_its_route(intake: Intake) -> None:
    counted = HTTP_SECONDS.labels("intake", "POST", "/v1/requests", "201")
    before = _count(counted)
    assert (await _answer(intake.app, PLAIN, WHOLE, **write()))["status"] == 201
    assert _count(counted) == before + 1


def _count(histogram: Histogram) -> float:
    (metric,) = histogram.collect()
    return sum(sample.value for sample in metric.samples if sample.name.endswith("_count"))
