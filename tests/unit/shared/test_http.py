from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel

from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.http import FieldError, KeyRing, Problem, create_app, hash_key
from shared.http.own_names import OWN_NAMES
from shared.telemetry.context import current_trace


class Body(BaseModel):
    name: str
    inner: dict[str, int] = {}


@pytest.fixture
def parts() -> dict[str, str | None]:
    return {"postgres": None}


@pytest.fixture
def app(parts: dict[str, str | None]) -> FastAPI:
    async def readiness() -> dict[str, str | None]:
        return parts

    app = create_app("example", readiness=readiness, body_limit=100, body_seconds=0.2, streamed=["/stream"])

    @app.post("/echo")
    async def echo(body: Body) -> dict[str, str]:
        return {"name": body.name, "correlation": current_trace().correlation_id}

    @app.post("/stream")
    async def stream(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    @app.get("/fail/{how}")
    async def fail(how: str) -> None:
        if how == "problem":
            raise Problem(409, "taken", "It is taken", errors=[FieldError(field="name", message="taken")])
        if how == "database":
            raise DatabaseUnavailable("away")
        raise RuntimeError("王小明 must not leave the house")

    return app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_broken_json_is_400_and_a_wrong_field_is_422_by_name(http: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    broken = await http.post("/echo", content=b'{"name":', headers=headers)
    wrong = await http.post("/echo", json={"inner": {"a": "x"}})
    assert (broken.status_code, wrong.status_code) == (400, 422)
    assert broken.headers["content-type"] == wrong.headers["content-type"] == "application/problem+json"
    assert {error["field"] for error in wrong.json()["errors"]} == {"name", "inner.a"}


async def test_of_very_many_wrong_fields_the_first_are_told_and_how_many_more_there_are(
    parts: dict[str, str | None],
) -> None:
    async def readiness() -> dict[str, str | None]:
        return parts

    app = create_app("wide", readiness=readiness)

    @app.post("/echo")
    async def echo(body: Body) -> str:
        return body.name

    wrong = {"name": "a", "inner": {f"{number}{'x' * 300}": None for number in range(3_000)}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.post("/echo", json=wrong)
    *first, last = answer.json()["errors"]
    assert (answer.status_code, len(first)) == (422, 50)
    assert all(error["field"].startswith(f"inner.{number}xxx") for number, error in enumerate(first))
    assert last == {"field": "body", "message": "and 2950 more are missing or wrong"}
    assert len(answer.content) < 65_536


async def test_a_body_over_the_cap_is_413_whether_its_length_is_declared_or_not(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10

    declared = await http.post("/echo", content=b"x" * 101)
    streamed = await http.post("/echo", content=chunks())
    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert "At most 100 bytes" in streamed.json()["detail"]
    assert streamed.json()["type"] == "urn:punctual:problem:content_too_large"  # whatever Python calls it


async def test_a_body_that_does_not_come_in_time_is_408_and_ends_the_connection(http: httpx.AsyncClient) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for byte in b'{"name": "never"':  # each comes soon enough, all of them do not
            yield bytes([byte])
            await asyncio.sleep(0.05)

    answer = await http.post("/echo", content=drops(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert answer.json()["detail"] == "A body has 0.2 s to come."


async def test_work_on_a_whole_body_may_take_longer_than_the_body(app: FastAPI, http: httpx.AsyncClient) -> None:
    @app.post("/slow")
    async def slow(body: Body) -> str:
        await asyncio.sleep(0.3)
        return body.name

    assert (await http.post("/slow", json={"name": "a"})).json() == "a"


async def test_a_streamed_path_takes_a_body_of_any_length(http: httpx.AsyncClient) -> None:
    answer = await http.post("/stream", content=b"x" * 1_000)
    assert (answer.status_code, answer.json()) == (200, 1_000)


async def test_a_problem_keeps_its_code_and_fields(http: httpx.AsyncClient) -> None:
    answer = await http.get("/fail/problem")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:punctual:problem:taken"
    assert answer.json()["errors"] == [{"field": "name", "message": "taken"}]


async def test_a_database_that_is_away_is_503_with_retry_after(http: httpx.AsyncClient) -> None:
    answer = await http.get("/fail/database")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_an_unforeseen_failure_is_500_and_tells_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/fail/otherwise")
    assert answer.status_code == 500
    assert "王小明" not in answer.text
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]


async def test_an_unknown_path_is_a_problem_too(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nowhere")
    assert answer.json()["type"] == "urn:punctual:problem:not_found"


async def test_the_callers_correlation_id_is_used_and_echoed_and_nonsense_is_replaced(http: httpx.AsyncClient) -> None:
    good = await http.post("/echo", json={"name": "a"}, headers={"x-correlation-id": "abc-1"})
    bad = await http.post("/echo", json={"name": "a"}, headers={"x-correlation-id": "a b\tc" * 30})
    assert good.json()["correlation"] == good.headers["x-correlation-id"] == "abc-1"
    assert bad.json()["correlation"] == bad.headers["x-correlation-id"]
    assert " " not in bad.headers["x-correlation-id"]


async def test_readiness_names_the_part_that_is_not_and_a_scrape_says_so(
    http: httpx.AsyncClient, parts: dict[str, str | None]
) -> None:
    assert (await http.get("/readyz")).status_code == 200
    assert 'punctual_ready{service="example"} 1.0' in (await http.get("/metrics")).text
    parts["kafka"] = "joining the consumer group"
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["kafka"] == "joining the consumer group"
    assert (await http.get("/healthz")).status_code == 200
    metrics = (await http.get("/metrics")).text
    assert "punctual_http_request_seconds" in metrics
    assert 'punctual_ready{service="example"} 0.0' in metrics


async def test_neither_a_probe_nor_a_scrape_waits_for_a_part_that_hangs_and_it_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    is_back = asyncio.Event()

    async def readiness() -> dict[str, str | None]:
        nonlocal asked
        asked += 1
        try:
            await is_back.wait()
        except asyncio.CancelledError:
            await is_back.wait()  # as a statement ends only when Postgres says so
            raise
        return {}

    monkeypatch.setattr("shared.http.readiness.PATIENCE_SECONDS", 0.05)
    transport = httpx.ASGITransport(create_app("hanging", readiness=readiness))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        async with asyncio.timeout(5):
            probes = [await client.get("/readyz"), *await asyncio.gather(*(client.get("/readyz") for _ in range(3)))]
            metrics = (await client.get("/metrics")).text
        assert asked == 1
        is_back.set()
        async with asyncio.timeout(5):
            while not (ready := await client.get("/readyz")).is_success:
                continue
    assert {(probe.status_code, *probe.json()["parts"]) for probe in probes} == {(503, "readiness")}
    assert 'punctual_ready{service="hanging"} 0.0' in metrics
    assert (ready.json()["status"], asked) == ("ready", 2)


def test_a_key_is_known_by_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [{"name": "app", "role": "channel", "sha256": hash_key("open sesame")}]}))
    ring = KeyRing.load(file)
    assert ring.authenticate("Bearer open sesame").name == "app"
    for header in (None, "", "Bearer", "Bearer wrong", "Basic open sesame"):
        with pytest.raises(Problem) as raised:
            ring.authenticate(header)
        assert raised.value.status == 401


@pytest.mark.parametrize("name", sorted(OWN_NAMES))
def test_a_key_file_gives_nobody_the_name_of_a_part_of_the_system(tmp_path: Path, name: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [{"name": name, "role": "channel", "sha256": hash_key("open sesame")}]}))
    with pytest.raises(
        ConfigurationError, match=rf"keys\.json: keys\.0\.name: .*{name} is what the system itself signs with"
    ):
        KeyRing.load(file)


@pytest.mark.parametrize("text", ["", "{", '{"keys": [{"name": "App", "role": "channel", "sha256": "x"}]}'])
def test_a_broken_key_file_is_named_with_its_field(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"keys\.json"):
        KeyRing.load(file)


async def test_what_cannot_be_done_at_a_path_is_405_and_names_all_that_can(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    @app.delete("/echo")
    async def forget() -> None: ...

    refused = await http.get("/echo")
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, POST")


async def test_another_address_is_not_found_and_never_redirected(http: httpx.AsyncClient) -> None:
    assert (await http.post("/echo/", json={"name": "a"})).status_code == 404
