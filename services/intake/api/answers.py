"""Answers to writes: the first one, and the stored one for a repeat."""

from __future__ import annotations

from fastapi import Response
from prometheus_client import Counter
from pydantic_core import from_json

from services.intake.api.context import Write
from services.intake.api.problems import key_reused
from services.intake.api.views import EntryView, RequestView, view_entry, write_history
from services.intake.domain.kept_answer import exchange_history
from services.intake.domain.sight import SAYING_OF_OTHERS, Sight
from services.intake.domain.visibility import EVERYTHING
from services.intake.store.answers import Answer, find_answer
from services.intake.store.lookups import read_by_ids
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
    return answer.status, await _whole(connection, answer)


def kept_answer(view: RequestView, answer: str) -> str:
    """What is kept of the answer to a move.

    Args:
        answer: the view, JSON.
    """
    return exchange_history(answer, write_history(entry for entry in view.history if entry.type in SAYING_OF_OTHERS))


async def _whole(connection: Connection, answer: Answer) -> str:
    """The body with the history that it showed."""
    if answer.request_id is None:
        return answer.body
    shown = from_json(answer.body)
    kept = {entry["sequence"]: EntryView.model_validate(entry) for entry in shown["history"]}
    if len(kept) == shown["version"]:
        return answer.body
    record = (await read_by_ids(connection, [answer.request_id]))[answer.request_id]
    entries = record.history[: shown["version"]]
    history = (kept.get(entry.sequence) or view_entry(entry, Sight(EVERYTHING)) for entry in entries)
    return exchange_history(answer.body, write_history(history))
