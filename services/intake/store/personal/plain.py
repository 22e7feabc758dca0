"""Personal data that were stored plain, before they were encrypted: read and replaced, some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.intake.store.personal.keys import WrappedKey
from services.intake.store.personal.texts import DESCRIPTION
from shared.contracts.payload import Language, Market
from shared.encryption import ContactDetails, CustomerKey
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class PlainCustomer:
    """Attributes:
    version: of the details, as they were told last.
    """

    customer_id: UUID
    details: ContactDetails
    language: Language
    market: Market
    version: int


@dataclass(frozen=True, slots=True)
class PlainText:
    """Attributes:
    name: of a description ``description``; it lies in the request's own row.
    """

    request_id: UUID
    sequence: int
    name: str
    key: WrappedKey
    text: str = field(repr=False)


async def take_customers(connection: Connection, count: int) -> list[PlainCustomer]:
    """Locked until the transaction ends; what another process works on is left to it."""
    return [
        PlainCustomer(
            row["customer_id"],
            ContactDetails(row["name"], row["email"], row["phone"]),
            Language(row["language"]),
            Market(row["market"]),
            row["version"],
        )
        for row in await _STATEMENTS["plain_customers"].fetch(connection, count=count)
    ]


async def replace_customers(
    connection: Connection, keys: Sequence[CustomerKey], details: Sequence[bytes], marks: Sequence[bytes]
) -> None:
    """Store the keys and what they encrypted; each version grows by one."""
    await _STATEMENTS["encrypt_customers"].execute(
        connection,
        customer_ids=[key.customer_id for key in keys],
        wrapped_keys=[key.wrapped for key in keys],
        details=list(details),
        marks=list(marks),
    )


async def take_descriptions(connection: Connection, count: int) -> list[PlainText]:
    """Of requests whose customers have keys; locked as the customers are."""
    return [
        PlainText(row["request_id"], 1, DESCRIPTION, WrappedKey(row["customer_id"], row["wrapped"]), row["description"])
        for row in await _STATEMENTS["plain_descriptions"].fetch(connection, count=count)
    ]


async def replace_descriptions(connection: Connection, texts: Sequence[PlainText], encrypted: Sequence[bytes]) -> None:
    await _STATEMENTS["encrypt_descriptions"].execute(
        connection, request_ids=[text.request_id for text in texts], encrypted=list(encrypted)
    )


async def take_texts(connection: Connection, count: int) -> list[PlainText]:
    """The same for what people wrote later."""
    return [
        PlainText(
            row["request_id"],
            row["sequence"],
            row["name"],
            WrappedKey(row["customer_id"], row["wrapped"]),
            row["text"],
        )
        for row in await _STATEMENTS["plain_texts"].fetch(connection, count=count)
    ]


async def replace_texts(connection: Connection, texts: Sequence[PlainText], encrypted: Sequence[bytes]) -> None:
    await _STATEMENTS["encrypt_texts"].execute(
        connection,
        request_ids=[text.request_id for text in texts],
        sequences=[text.sequence for text in texts],
        names=[text.name for text in texts],
        encrypted=list(encrypted),
    )
