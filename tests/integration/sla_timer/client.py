"""Calls the service's HTTP API without a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from services.sla_timer.api import Context, create_api
from services.sla_timer.handlers.loading import Loading
from services.sla_timer.handlers.programs import Programs
from services.sla_timer.store.shelf import Shelf
from shared.http import KeyRing, hash_key
from shared.http.access import Access, Identification
from shared.http.keys import ApiKey
from tests.access.issuing import NOW, IssuerInMemory, token_of
from tests.access.opening import matrix_of
from tests.integration.sla_timer.desk import Desk

KEYS = KeyRing(
    [
        ApiKey(name="app", role="channel", sha256=hash_key("key of app")),
        ApiKey(name="web", role="channel", sha256=hash_key("key of web")),
        ApiKey(name="lead", role="staff", sha256=hash_key("key of lead")),
    ]
)


class Client:
    """Args:
    http: whose base address is the service.
    app: the service's application.
    """

    def __init__(self, http: httpx.AsyncClient, app: FastAPI) -> None:
        self.http = http
        self.app = app

    async def get(self, path: str, caller: str = "lead", **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query or None, headers=_key(caller))

    async def put(self, path: str, text: str | bytes, caller: str = "lead") -> httpx.Response:
        return await self.http.put(path, content=text, headers={**_key(caller), "Content-Type": "text/yaml"})

    async def post(self, path: str, body: Mapping[str, Any], caller: str = "lead") -> httpx.Response:
        return await self.http.post(path, json=body, headers=_key(caller), timeout=60)

    async def lines(self, path: str, body: Mapping[str, Any], caller: str = "lead") -> list[dict[str, Any]]:
        """A streamed answer, its objects one by one."""
        answer = await self.post(path, body, caller)
        assert answer.status_code == httpx.codes.OK, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]


@asynccontextmanager
async def client_of(desk: Desk, programs: Programs) -> AsyncIterator[Client]:
    """A client of a desk."""

    async def readiness() -> Mapping[str, str | None]:
        await desk.database.ping()
        return {"postgres": None}

    looking = Loading(Shelf(0, dict), desk.rulebooks)
    context = Context(desk.database, desk.clock, desk.rulebooks, desk.modes, looking, programs)
    access = Access(Identification(KEYS, IssuerInMemory().trusted(), lambda: NOW), matrix_of("sla_timer"))
    app = create_api(context, access, readiness)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sla_timer") as http:
        yield Client(http, app)


def person(*roles: str, teams: Collection[str] = ()) -> str:
    """A member of staff as a caller."""
    return token_of(*roles, teams=list(teams))


def _key(caller: str) -> dict[str, str]:
    """Of a key's name, or of a token."""
    return {"Authorization": f"Bearer {caller}" if "." in caller else f"Bearer key of {caller}"}
