"""The yardstick: a bare FastAPI application that reads a request into intake's own model and gives the model back.

Runs as a process of its own (`python -m bench.echo PORT`) on the event loop and the uvicorn settings that intake runs
on.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from fastapi import FastAPI

from services.intake.api.bodies import SubmitBody
from shared.http import HttpServer


def create_echo() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/requests", status_code=201)
    async def echo(submission: SubmitBody) -> SubmitBody:
        return submission

    return app


def main(arguments: list[str]) -> None:
    (port,) = arguments
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(HttpServer(create_echo(), "127.0.0.1", int(port)).run(asyncio.Event()))


if __name__ == "__main__":
    main(sys.argv[1:])
