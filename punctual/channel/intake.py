"""Intake's writes and reads, as a channel system or a handler's tool uses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from punctual.channel.answers import Accepted, GaveUp
from punctual.channel.retrying import RetryingHttp
from shared.contracts.envelope import format_instant

_TIMEOUT = 30.0  # longer than intake waits for a key in flight
_KEEPALIVE_SECONDS = 20.0  # below the server's own 30, so that no call meets a connection just closed


def open_http(url: str, connections: int) -> httpx.AsyncClient:
    """A pool for one service."""
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=_KEEPALIVE_SECONDS,
    )
    is_local = httpx.URL(url).host in {"127.0.0.1", "::1", "localhost"}  # a proxy has no business there
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=_TIMEOUT, trust_env=not is_local)


class IntakeClient:
    """Args:
    patience: how long one call is repeated while intake cannot be reached, real time.
    """

    def __init__(self, http: httpx.AsyncClient, patience: timedelta) -> None:
        self._calls = RetryingHttp(http, patience)

    @property
    def retries(self) -> int:
        return self._calls.retries

    async def submit(self, api_key: str, idempotency_key: str, body: Mapping[str, Any], at: datetime) -> Accepted:
        """POST /v1/requests."""
        return await self._write("/v1/requests", api_key, idempotency_key, body, at)

    async def move(
        self,
        api_key: str,
        idempotency_key: str,
        reference: str,
        verb: str,
        body: Mapping[str, Any],
        at: datetime,
    ) -> Accepted:
        """POST /v1/requests/{reference}/{verb}, the verb being stage, response, pause, resume, close and so on."""
        return await self._write(f"/v1/requests/{reference}/{verb}", api_key, idempotency_key, body, at)

    async def look_up(self, api_key: str, reference: str) -> dict[str, Any]:
        """GET /v1/requests/{reference}."""
        view: dict[str, Any] = await self._calls.json("GET", f"/v1/requests/{reference}", headers=_bearer(api_key))
        return view

    async def read_clock(self) -> tuple[datetime, float]:
        """The business instant, and business seconds per real second."""
        clock = await self._calls.json("GET", "/v1/clock", headers={})
        try:
            return datetime.fromisoformat(clock["now"]), float(clock["speed"])
        except (KeyError, TypeError, ValueError):
            raise GaveUp("what answers at this address is not intake") from None

    async def _write(
        self, path: str, api_key: str, idempotency_key: str, body: Mapping[str, Any], at: datetime
    ) -> Accepted:
        # The same call must give the same bytes: the key stands for them.
        content = json.dumps({**body, "occurred_at": format_instant(at)}, ensure_ascii=False, sort_keys=True).encode()
        headers = {**_bearer(api_key), "Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        response = await self._calls.call("POST", path, headers=headers, content=content)
        return Accepted(response.json(), response.headers.get("idempotency-replayed") == "true")


def _bearer(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"}
