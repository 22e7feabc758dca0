"""Answers that are written while a process of its own reads: one JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.sla_timer.api.context import Context
from services.sla_timer.handlers.programs import AlreadyRunning, Run
from shared.http import Problem, problem_responses

MEDIA_TYPE = "application/x-ndjson"


class RunResponse(StreamingResponse):
    """Streams a run's lines, and ends it when they are read or the caller has gone away."""

    media_type = MEDIA_TYPE

    def __init__(self, run: Run) -> None:
        super().__init__(run.lines(), media_type=MEDIA_TYPE)
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._run.end()


def stream_responses(description: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of an endpoint that streams, and of its errors."""
    answer: dict[str, Any] = {"description": description, "content": {MEDIA_TYPE: {}}}
    return {200: answer, **problem_responses(*statuses)}


async def stream(context: Context, option: str, job: Mapping[str, Any]) -> RunResponse:
    """Start a reading and answer with what it writes.

    Raises:
        Problem: 409, one of its kind is running.
    """
    try:
        return RunResponse(await context.programs.start(option, job))
    except AlreadyRunning:
        raise Problem(
            409, "already_running", "Another one is running", "Only one at a time; try again when it has ended."
        ) from None
