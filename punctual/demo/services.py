"""Reads the services' summaries and metrics; a service that is down costs its figures only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT = 3.0  # seconds; the screen waits for nobody
_PATHS = {
    "intake": "/v1/summary",
    "sla_timer": "/v1/summary",
    "notifier": "/v1/summary",
    "quality_audit": "/v1/summary",
}
_BACKLOG = "punctual_outbox_backlog"
_LAG = "punctual_inbox_lag"


class ServiceReader:
    """Args:
    addresses: service -> URL.
    key: a staff key.
    """

    def __init__(self, addresses: Mapping[str, str], key: str) -> None:
        self._addresses = addresses
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT, trust_env=False, headers={"Authorization": f"Bearer {key}", "Connection": "close"}
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def summaries(self) -> dict[str, dict[str, Any] | None]:
        """Service -> its summary, None while it does not answer."""
        found = await asyncio.gather(*(self._json(service, path) for service, path in _PATHS.items()))
        return dict(zip(_PATHS, found, strict=True))

    async def score(self) -> dict[str, Any] | None:
        """The running score card of quality_audit."""
        return await self._json("quality_audit", "/v1/score")

    async def plumbing(self) -> dict[str, dict[str, float]]:
        """Service -> rows waiting in the outbox, and records behind the end of its topics."""
        texts = await asyncio.gather(*(self._text(service, "/metrics") for service in self._addresses))
        return {
            service: {"backlog": gauge(text, _BACKLOG), "lag": gauge(text, _LAG)}
            for service, text in zip(self._addresses, texts, strict=True)
            if text is not None
        }

    async def _json(self, service: str, path: str) -> dict[str, Any] | None:
        response = await self._get(service, path)
        try:
            value = None if response is None else response.json()
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    async def _text(self, service: str, path: str) -> str | None:
        response = await self._get(service, path)
        return None if response is None else response.text

    async def _get(self, service: str, path: str) -> httpx.Response | None:
        try:
            response = await self._http.get(self._addresses[service] + path)
        except (httpx.HTTPError, KeyError):
            return None
        return response if response.is_success else None


def gauge(text: str, name: str) -> float:
    """The sum of a metric's samples over its labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        if family.name == name
        for sample in family.samples
        if sample.name == name
    )
