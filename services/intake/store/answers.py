"""Idempotency keys and the answers they stand for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.intake.domain.kept_answer import with_external_id, without_external_id
from services.intake.domain.record import RequestRecord
from shared.errors import PunctualError
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)


class KeyInFlight(PunctualError):
    """Another transaction uses the key and did not end in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller was told when the key was used first.

    Attributes:
        fingerprint: SHA-256 of the method, path and body it was used with.
        request_id: of the request that the body shows; None where it shows none.
    """

    fingerprint: bytes
    status: int
    body: str
    request_id: UUID | None = None


def lock_timeout(patience: timedelta) -> str:
    """The span as Postgres reads it."""
    return f"{max(1, int(patience.total_seconds() * 1000))}ms"


async def claim_key(connection: Connection, caller: str, key: str, fingerprint: bytes, patience: timedelta) -> bool:
    """Take the key for this transaction; False if it was used before.

    Waits for another transaction that uses it right now, because only its end tells which it is.

    Raises:
        KeyInFlight: it did not end in time; the transaction is spoilt.
    """
    try:
        claimed = await _STATEMENTS["claim_key"].fetchval(
            connection, caller=caller, key=key, fingerprint=fingerprint, lock_timeout=lock_timeout(patience)
        )
    except asyncpg.LockNotAvailableError:
        raise KeyInFlight("another call with this key is being worked on") from None
    return claimed is True


async def find_answer(connection: Connection, caller: str, key: str) -> Answer | None:
    row = await _STATEMENTS["select_answer"].fetchrow(connection, caller=caller, key=key)
    return None if row is None else _answer(row)


async def complete_answer(
    connection: Connection, caller: str, key: str, request: RequestRecord | None, status: int, body: str
) -> None:
    """Keep what a repeat of the call will be answered; its key was claimed in this transaction.

    Args:
        request: that the body shows.
    """
    await _STATEMENTS["complete_answer"].execute(
        connection,
        caller=caller,
        key=key,
        request_id=None if request is None else request.request_id,
        status=status,
        body=body if request is None else without_external_id(body, request.external_id),
    )


async def find_answers(connection: Connection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
    """The answers of those keys, by caller and key, that were used before."""
    rows = await _STATEMENTS["select_answers"].fetch(
        connection, callers=[caller for caller, _ in keys], keys=[key for _, key in keys]
    )
    return {(row["caller"], row["key"]): _answer(row) for row in rows}


async def forget_answers(connection: Connection, keep: timedelta, count: int) -> int:
    """Delete up to ``count`` answers given longer ago than ``keep``, by Postgres' clock; gives how many there were."""
    status = await _STATEMENTS["delete_old_keys"].execute(connection, keep=keep, count=count)
    return int(status.rpartition(" ")[2])


def _answer(row: Record) -> Answer:
    body = with_external_id(row["body"], row["external_id"])
    return Answer(row["fingerprint"], row["status"], body, row["request_id"])
