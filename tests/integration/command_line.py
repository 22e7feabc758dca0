"""Commands as people run them: programs of their own, against services that listen on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

Run = Callable[..., Awaitable[tuple[int, str]]]


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """Serves an application on a socket of this machine; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


def command_line(**settings: str) -> Run:
    """Runs a command; gives its exit code, and what it printed: to stderr when that went wrong.

    Args:
        settings: of the environment, beside those of the tests.
    """
    environment = {**os.environ, "COLUMNS": "200", **settings}

    async def run_one(*arguments: str, answer: str = "") -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "punctual.cli", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        out, err = await process.communicate(answer.encode())
        assert process.returncode is not None
        return process.returncode, (out or err).decode()

    return run_one
