"""What the channel systems remember: every request they were told is accepted, kept outside the system under test."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from shared.clock import monotonic
from shared.ids import new_id

_GIVE_UP_SECONDS = 90.0


@dataclass
class Accepted:
    """A request whose acceptance was answered with 2xx."""

    request_id: str
    reference: str
    submitted_at: datetime
    email: str
    stopped_at: dict[str, datetime] = field(default_factory=dict)
    """Objective -> the instant at which the client stopped it."""


class Channel:
    """Sends like a channel system: an idempotency key per action, repeated until there is a definite answer."""

    def __init__(self, intake: str, key: str) -> None:
        self._http = httpx.Client(base_url=intake, timeout=10, headers={"Authorization": f"Bearer {key}"})
        self._lock = threading.Lock()
        self.accepted: list[Accepted] = []
        self.repeated = 0

    def close(self) -> None:
        self._http.close()

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        """The first definite answer; connection errors and 503 (and 409 while in flight) are repeated."""
        headers = {"Idempotency-Key": key or str(new_id())}
        deadline = monotonic() + _GIVE_UP_SECONDS
        pause = threading.Event()
        while True:
            try:
                answer = self._http.post(path, json=body, headers=headers)
                if answer.status_code not in {409, 429, 500, 502, 503}:
                    return answer
                if answer.status_code == 409 and "idempotency" not in answer.text:
                    return answer
            except httpx.TransportError:
                pass
            if monotonic() > deadline:
                raise TimeoutError(f"no definite answer to {path} for {_GIVE_UP_SECONDS} s")
            self.repeated += 1
            pause.wait(0.2)

    def submit(self, submitted_at: datetime, **changes: Any) -> Accepted:
        number = new_id().hex
        email = f"c{number}@customer.example"
        body = submission(occurred_at=submitted_at.isoformat(), **changes)
        body["customer"] = {**body["customer"], "id": number, "email": email}
        answer = self.post("/v1/requests", body)
        assert answer.status_code == 201, answer.text
        view = answer.json()
        accepted = Accepted(view["id"], view["reference"], submitted_at, email)
        with self._lock:
            self.accepted.append(accepted)
        return accepted

    def respond(self, request: Accepted, at: datetime) -> None:
        answer = self.post(f"/v1/requests/{request.reference}/response", {"occurred_at": at.isoformat()})
        assert answer.status_code == 200, answer.text
        request.stopped_at.setdefault("response", at)

    def close_request(self, request: Accepted, at: datetime) -> None:
        body = {"outcome": "withdrawn", "occurred_at": at.isoformat()}
        answer = self.post(f"/v1/requests/{request.reference}/close", body)
        assert answer.status_code == 200, answer.text
        request.stopped_at.setdefault("response", at)
        request.stopped_at["resolution"] = at


def submission(**changes: Any) -> dict[str, Any]:
    """A body that intake accepts."""
    return {
        "kind": "enquiry",
        "product_line": "health",
        "market": "HK",
        "customer": {"id": "C-1", "name": "陳大文", "email": "c1@customer.example", "language": "zh-Hant"},
        "attributes": {"amount": 1200},
        **changes,
    }
