"""Fetches an issuer's keys: its discovery document, then the JWKS that names; keeps both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.clock import monotonic
from shared.errors import PunctualError
from shared.http.access.keyset import KeySet, read_keys
from shared.settings import is_safe_address
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)

_FRESH_SECONDS = 600.0
"""A key that the issuer withdrew works this long at most while the issuer can be reached."""

_PAUSE_SECONDS = 5.0
"""Between two attempts: tokens with made-up key ids must not become a flood at the issuer."""

_TIMEOUT = httpx.Timeout(5.0)
_WHOLE_SECONDS = 15.0  # for both documents, however slowly they drip
_MOST_BYTES = 1_000_000
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class IssuerUnavailable(PunctualError):
    """The issuer does not answer, or not as it should, and what is known of its keys does not help."""


class IssuerKeys:
    """Args:
    issuer: its URL, exactly as its tokens say it.
    transport: for tests.
    """

    def __init__(
        self,
        issuer: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._issuer = issuer
        self._transport = transport
        self._elapsed = elapsed
        self._keys: KeySet | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._is_reachable = True
        self._fetching = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def keys(self, key_id: str | None) -> KeySet:
        """The keys, with the one named if the issuer has it.

        Raises:
            IssuerUnavailable: nothing is known yet, or the key is not among the known ones and the issuer cannot be
                asked about it.
        """
        known = self._keys
        if known is None or not known.knows(key_id):
            async with self._fetching:
                if self._keys is known:  # else somebody else fetched them meanwhile
                    await self._fetch()
        elif self._elapsed() - self._fetched_at > _FRESH_SECONDS:
            self._refresh_beside()  # nobody waits for the issuer while the keys at hand will do
        if self._keys is None:
            raise IssuerUnavailable("the issuer's keys are not known yet")
        if not self._keys.knows(key_id) and not self._is_reachable:
            raise IssuerUnavailable("the issuer cannot be asked about a key")
        return self._keys

    def _refresh_beside(self) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        async with self._fetching:
            await self._fetch()

    async def _fetch(self) -> None:
        """Replace the keys; keep them when that fails, and when the last attempt was a moment ago."""
        if self._elapsed() - self._tried_at < _PAUSE_SECONDS:
            return
        self._tried_at = self._elapsed()
        self._is_reachable = False  # also when whoever waits for this goes away in the middle
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                self._keys = await self._ask()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
            _log.warning("issuer's keys not read", issuer=self._issuer, error=f"{type(error).__name__}: {error}"[:300])
        else:
            self._is_reachable = True
            self._fetched_at = self._elapsed()

    async def _ask(self) -> KeySet:
        host = urlsplit(self._issuer).hostname
        async with httpx.AsyncClient(
            transport=self._transport,
            timeout=_TIMEOUT,
            trust_env=host not in _LOOPBACK,  # a proxy leads out of the house, not to this machine
        ) as http:
            discovery = await _json(http, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if not isinstance(discovery, dict) or discovery.get("issuer") != self._issuer:
                raise ValueError("the discovery document is of another issuer")
            address = discovery.get("jwks_uri")
            if not isinstance(address, str) or not is_safe_address(address):
                raise ValueError("the discovery document names no address for keys that could be trusted")
            return read_keys(await _json(http, address))


async def _json(http: httpx.AsyncClient, address: str) -> Any:
    """Raises ValueError for whatever is not JSON of a sensible size."""
    async with http.stream("GET", address, headers={"Accept": "application/json"}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"{address} answers {answer.status_code}")
        body = bytearray()
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > _MOST_BYTES:
                raise ValueError(f"{address} answers with more than {_MOST_BYTES} bytes")
    try:
        return json.loads(bytes(body))
    except RecursionError:
        raise ValueError(f"{address} answers with JSON that is nested too deeply") from None
