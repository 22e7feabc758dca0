"""uvicorn as a component beside the consumer, the ticker and the relay."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from shared.errors import ConfigurationError
from shared.http.connection import HEAD_SECONDS, bounded


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The lifecycle handles signals."""
        yield


class HttpServer:
    """Serves until asked to stop, then finishes the requests in hand."""

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        certificate: tuple[Path, Path] | None = None,
        *,
        head_seconds: float = HEAD_SECONDS,
    ) -> None:
        """Args:
            certificate: the chain and its key, PEM files; TLS 1.2 and later is spoken then, and nothing else.
            head_seconds: real time that the head of a request may take to come.

        Raises:
            ConfigurationError: the certificate cannot be used.
        """
        if certificate is not None:
            _check(*certificate)
        chain, key = certificate or (None, None)
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                http=bounded(head_seconds),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,  # nothing asks for the caller's address, so nobody is believed about it
                timeout_graceful_shutdown=8,
                timeout_keep_alive=30,
                backlog=2048,
                ssl_certfile=chain,
                ssl_keyfile=key,
            )
        )

    async def run(self, stopping: asyncio.Event) -> None:
        serving = asyncio.create_task(self._serve())
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        self._server.should_exit = True
        await serving

    async def _serve(self) -> None:
        try:
            await self._server.serve()
        except SystemExit:  # uvicorn's way of saying that the port is taken
            raise ConfigurationError(f"port {self._port} cannot be listened on; is another process using it?") from None


def _check(chain: Path, key: Path) -> None:
    """What is wrong with a certificate is said before the port is opened."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"PUNCTUAL_TLS_CERTIFICATE and PUNCTUAL_TLS_KEY cannot be used: {error}") from None
