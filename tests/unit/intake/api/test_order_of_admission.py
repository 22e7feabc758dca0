"""What is asked of a call before anything of its body is read, and in which order: who calls, what he may, how fast."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.intake.api.rate_limits import RateLimits
from services.intake.domain.rate import Rate
from shared.http import KeyRing, hash_key
from shared.http.access import Access, Identification
from shared.http.keys import ApiKey
from tests.access.opening import matrix_of
from tests.unit.intake.front_door import intake_of_nothing

KEYS = KeyRing(
    [
        ApiKey(name="app", role="channel", sha256=hash_key("key of app")),
        ApiKey(name="tool", role="staff", sha256=hash_key("key of tool")),
    ]
)
PLAIN, FRAMEWORK = "application/json", "application/json; charset=utf-8"
SUBMIT, MOVE, DIFF = "/v1/requests", "/v1/requests/K7M4Q-2XD9C/close", "/v1/processes:diff"
CALLERS = {SUBMIT: "key of app", MOVE: "key of app", DIFF: "key of tool"}
"""Routes, and who may call them."""

WAYS = [(SUBMIT, PLAIN), (SUBMIT, FRAMEWORK), (MOVE, PLAIN), (DIFF, PLAIN)]


def door(burst: int = 100) -> httpx.AsyncClient:
    limits = RateLimits(Rate(0.01, burst), elapsed=lambda: 0.0)
    app = intake_of_nothing(Access(Identification(KEYS), matrix_of("intake")), limits)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake")


def head(path: str, content_type: str = PLAIN, key: str | None = None) -> dict[str, str]:
    secret = key or CALLERS[path]
    return {"Authorization": f"Bearer {secret}", "Content-Type": content_type, "Idempotency-Key": "a"}


@pytest.mark.parametrize(("path", "content_type"), WAYS)
async def test_broken_bodies_count_at_the_limit_of_their_key(path: str, content_type: str) -> None:
    async with door(burst=1) as http:
        answers = [await http.post(path, content=b"{", headers=head(path, content_type)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 429]
    assert answers[0].json()["type"] == "urn:punctual:problem:broken_json"
    assert answers[0].headers["ratelimit-remaining"] == "0"


@pytest.mark.parametrize(("path", "content_type"), WAYS)
async def test_a_call_counts_once_whatever_is_wrong_with_its_body(path: str, content_type: str) -> None:
    async with door(burst=5) as http:
        left = []
        for content in (b"{", b"[]", b""):
            answer = await http.post(path, content=content, headers=head(path, content_type))
            assert answer.is_client_error
            left.append(answer.headers["ratelimit-remaining"])
    assert left == ["4", "3", "2"]


@pytest.mark.parametrize(("path", "content_type"), WAYS)
async def test_nothing_is_read_of_who_is_unknown_may_not_or_calls_too_often(path: str, content_type: str) -> None:
    read: list[int] = []

    async def body(status: int) -> AsyncIterator[bytes]:
        read.append(status)
        yield b"{"

    may_not = [(403, "key of app")] if path == DIFF else []  # both keys may do the others
    async with door(burst=1) as http:
        for status, key in ((401, "nobody"), *may_not, (400, CALLERS[path]), (429, CALLERS[path])):
            answer = await http.post(path, content=body(status), headers=head(path, content_type, key))
            assert answer.status_code == status
    assert read == [400]


@pytest.mark.parametrize("content_type", [PLAIN, FRAMEWORK])
async def test_a_body_that_says_of_itself_that_it_is_too_large_is_refused_before_all(content_type: str) -> None:
    async with door(burst=1) as http:
        large = {"Content-Length": "1000001"}
        headers = [head(SUBMIT, content_type) | large, head(SUBMIT, content_type, "nobody") | large]
        answers = [await http.post(SUBMIT, headers=each) for each in headers]
    assert [answer.status_code for answer in answers] == [413, 413]
    assert "ratelimit-remaining" not in answers[0].headers


@pytest.mark.parametrize("content_type", [PLAIN, FRAMEWORK])
async def test_one_that_turns_out_to_be_too_large_is_read_of_who_is_let_in_only(content_type: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100_000

    async with door(burst=1) as http:
        keys = ("nobody", "key of app", "key of app")
        answers = [await http.post(SUBMIT, content=pieces(), headers=head(SUBMIT, content_type, key)) for key in keys]
    assert [answer.status_code for answer in answers] == [401, 413, 429]
    assert answers[1].headers["ratelimit-remaining"] == "0"


@pytest.mark.parametrize("content_type", [PLAIN, FRAMEWORK])
async def test_broken_json_is_told_before_a_missing_key_and_that_before_wrong_fields(content_type: str) -> None:
    headers = {name: value for name, value in head(SUBMIT, content_type).items() if name != "Idempotency-Key"}
    async with door() as http:
        answers = [await http.post(SUBMIT, content=content, headers=headers) for content in (b"{", b"{}")]
        answers.append(await http.post(SUBMIT, content=b"{}", headers=headers | {"Idempotency-Key": "a"}))
    codes = [answer.json()["type"].rpartition(":")[2] for answer in answers]
    assert codes == ["broken_json", "idempotency_key_required", "invalid_fields"]
