"""Answers to writes: the first one, and the stored one for a repeat."""

from __future__ import annotations

from fastapi import Response
from prometheus_client import Counter

from services.intake.api.context import Write
from services.intake.api.problems import key_reused
from services.intake.store.answers import find_answer
from shared.postgres import Connection

REPLAYED = Counter("punctual_intake_answers_replayed_total", "Repeated writes that got the stored answer.")

REPLAY_HEADER = {"Idempotency-Replayed": "true"}


def json_answer(body: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


async def stored_answer(connection: Connection, write: Write) -> tuple[int, str]:
    """Status and body that the key's first use was answered with.

    Raises:
        Problem: the key was used for something else.
    """
    answer = await find_answer(connection, write.owner, write.key)
    if answer is None or answer.fingerprint != write.fingerprint:
        raise key_reused()
    REPLAYED.inc()
    return answer.status, answer.body
