"""The yardstick: a bare FastAPI application that reads a request into a model and gives the model back.

Runs as a process of its own (`python -m bench.echo PORT`) on the event loop and the uvicorn settings that intake runs
on.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from fastapi import FastAPI
from pydantic import BaseModel

from shared.http import HttpServer


class Customer(BaseModel):
    id: str
    name: str
    email: str | None = None
    phone: str | None = None
    language: str
    tier: str = "standard"


class Submission(BaseModel):
    kind: str
    product_line: str | None = None
    priority: str = "normal"
    market: str
    external_id: str | None = None
    description: str | None = None
    attributes: dict[str, bool | int | float | str] = {}
    customer: Customer


def create_echo() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/requests", status_code=201)
    async def echo(submission: Submission) -> Submission:
        return submission

    return app


def main(arguments: list[str]) -> None:
    (port,) = arguments
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(HttpServer(create_echo(), "127.0.0.1", int(port)).run(asyncio.Event()))


if __name__ == "__main__":
    main(sys.argv[1:])
