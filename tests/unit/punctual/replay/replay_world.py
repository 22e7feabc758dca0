"""Fakes of the two things that may be faked here: intake, an HTTP peer, and the business clock it tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from punctual.channel.intake import IntakeClient

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

Answer = Callable[[httpx.Request], httpx.Response]


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {"type": f"urn:punctual:problem:{code}", "title": code, "status": status, "detail": f"because of {code}"}
    return httpx.Response(status, json=body, headers=headers)


class FakeIntake:
    """Answers as intake does: idempotent by key, and as told by ``before`` where a test wants trouble.

    Attributes:
        calls: path and body of every call that was answered for the first time.
        findings: of every request that is submitted.
        before: asked first; its answer, if it gives one, is the answer.
    """

    def __init__(self, speed: float = 1e9) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.keys: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.findings: dict[str, str] = {}
        self.speed = speed
        self.now = BEGIN + timedelta(days=365)
        self.before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        trouble = self.before(request)
        if trouble is not None:
            return trouble
        if request.url.path == "/v1/clock":
            return httpx.Response(200, json={"now": self.now.isoformat(), "speed": self.speed})
        if request.method == "GET":
            return httpx.Response(200, json=self.views[request.url.path.rpartition("/")[2]])
        return self._write(request)

    def _write(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["idempotency-key"]
        fingerprint = request.url.path.encode() + request.content
        if key in self.keys:
            known, view = self.keys[key]
            if known != fingerprint:
                return problem(422, "idempotency_key_reused")
            return httpx.Response(200, json=view, headers={"Idempotency-Replayed": "true"})
        body = json.loads(request.content)
        self.calls.append((request.url.path, body))
        submitted = {"reference": f"REF-{body.get('external_id')}", "findings": self.findings}
        view = submitted if request.url.path == "/v1/requests" else {}
        self.keys[key] = (fingerprint, view)
        return httpx.Response(200, json=view)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer), base_url="http://intake.test")

    def client(self, patience: timedelta = timedelta(seconds=5)) -> IntakeClient:
        return IntakeClient(self.http(), patience)
