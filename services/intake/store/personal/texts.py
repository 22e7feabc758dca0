"""What people wrote about requests, encrypted with the key of the customer."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from shared.encryption import CustomerKey
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

DESCRIPTION = "description"
"""What came with the submission, the first entry."""


def encrypt_description(key: CustomerKey, request_id: UUID, description: str | None) -> bytes | None:
    """As it lies in the request's row."""
    return None if description is None else encrypt_text(key, request_id, 1, DESCRIPTION, description)


def encrypt_text(key: CustomerKey, request_id: UUID, sequence: int, name: str, text: str) -> bytes:
    """Bound to its place."""
    return key.encrypt(text, _place(request_id, sequence, name))


async def add_texts(
    connection: Connection, key: CustomerKey, request_id: UUID, sequence: int, texts: Mapping[str, str]
) -> None:
    """Keep what people wrote with an entry: ``text``, ``file_name``, ``location``."""
    await _STATEMENTS["insert_texts"].execute(
        connection,
        request_id=request_id,
        sequence=sequence,
        names=list(texts),
        encrypted=[encrypt_text(key, request_id, sequence, name, text) for name, text in texts.items()],
    )


async def find_texts(connection: Connection, key: CustomerKey, request_id: UUID) -> dict[int, dict[str, str]]:
    """By the sequence of their entries, the description among them.

    Raises:
        Undecipherable: a text is damaged.
    """
    found: dict[int, dict[str, str]] = {}
    for row in await _STATEMENTS["select_texts"].fetch(connection, request_id=request_id):
        sequence, name = row["sequence"], row["name"]
        found.setdefault(sequence, {})[name] = key.decrypt(row["encrypted"], _place(request_id, sequence, name))
    return found


def _place(request_id: UUID, sequence: int, name: str) -> str:
    return f"{request_id}:{sequence}:{name}"
