"""uvicorn as a component beside the consumer, the ticker and the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from shared.errors import ConfigurationError


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The lifecycle handles signals."""
        yield


class HttpServer:
    """Serves until asked to stop, then finishes the requests in hand."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=8,
                timeout_keep_alive=30,
                backlog=2048,
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
