"""What docs/howto/run-with-docker.md says of a proxy: the service as it listens, called as a proxy calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from socket import create_server
from typing import Any, cast

import httpx
import pytest

from shared.http import HttpServer
from tests.integration.intake.front_door import Intake, write

KEY = {"Authorization": "Bearer key of app"}
OF_A_PROXY = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "elsewhere.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/sla",
    "Forwarded": "for=203.0.113.9;proto=https;host=elsewhere.example",
    "Host": "elsewhere.example",
}


@pytest.fixture
async def proxied(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = cast("httpx.ASGITransport", intake.app._transport).app
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    stopping = asyncio.Event()
    running = asyncio.create_task(HttpServer(app, "127.0.0.1", port).run(stopping))
    transport = httpx.AsyncHTTPTransport(retries=10)  # until it listens
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=KEY, transport=transport) as client:
        yield client
    stopping.set()
    await running


async def test_what_a_proxy_says_of_the_caller_changes_no_answer(intake: Intake, proxied: httpx.AsyncClient) -> None:
    views = [await intake.submit() for _ in range(2)]
    plain, told = [
        await proxied.get("/v1/requests", params={"limit": 1}, headers=headers) for headers in ({}, OF_A_PROXY)
    ]
    assert (told.text, told.headers["Link"]) == (plain.text, plain.headers["Link"])
    assert told.headers["Link"].startswith("</v1/requests?")
    reference = views[0]["reference"]
    moved = await proxied.post(f"/v1/requests/{reference}/response", json={}, headers=OF_A_PROXY | write())
    assert moved.json()["status_url"] == views[0]["status_url"]
    assert views[0]["status_url"].startswith("https://status.example/t/")
