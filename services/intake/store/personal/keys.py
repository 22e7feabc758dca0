"""The keys of customers, wrapped as they are stored."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)

Subject = tuple[str, str]
"""A customer as a channel names them: the channel, and its id of the customer."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    customer_id: UUID
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """Attributes:
    contact_version: of the contact details when the key was read. It rises whenever they or the key are told anew.
    """

    key: WrappedKey
    contact_version: int


async def find_keys(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, KnownCustomer]:
    """Those of the customers that are known."""
    named = list(subjects)
    rows = await _STATEMENTS["find_customer_keys"].fetch(
        connection, channels=[channel for channel, _ in named], external_ids=[external for _, external in named]
    )
    return {
        (row["channel"], row["external_id"]): KnownCustomer(
            WrappedKey(row["customer_id"], row["wrapped"]), row["version"]
        )
        for row in rows
    }


async def find_key(connection: Connection, customer_id: UUID) -> WrappedKey | None:
    """None when the customer's data were erased."""
    wrapped = await _STATEMENTS["find_customer_key"].fetchval(connection, customer_id=customer_id)
    return WrappedKey(customer_id, wrapped) if wrapped is not None else None


async def find_key_of_request(connection: Connection, request_id: UUID) -> WrappedKey | None:
    """The same by a request of theirs."""
    row = await _STATEMENTS["find_key_of_request"].fetchrow(connection, request_id=request_id)
    return WrappedKey(row["customer_id"], row["wrapped"]) if row is not None else None
