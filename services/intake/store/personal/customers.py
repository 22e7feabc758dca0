"""Customers: who they are, what is held on them, and its end."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.erasure import Confirmation, Destroyed, Erasure, Remains
from services.intake.domain.validation.personal_names import PersonalNames
from services.intake.domain.visibility import EVERYTHING, Visibility
from services.intake.store.access_log import AccessRecord
from services.intake.store.lookups import teams_of
from shared.contracts.payload import Language, Market, RequestKind
from shared.postgres import Connection, Record, load_statements

_STATEMENTS = load_statements(__name__)


@dataclass(frozen=True, slots=True)
class Customer:
    """Attributes:
    external_id: the channel's id; None once erased.
    details: encrypted; None once erased.
    recorded_at: of the details, business time.
    requests: how many there are, as far as the caller sees them.
    """

    customer_id: UUID
    channel: str
    external_id: str | None
    details: bytes | None
    language: Language
    market: Market
    recorded_at: datetime
    erased_at: datetime | None
    requests: int


@dataclass(frozen=True, slots=True)
class Contact:
    """As it is told.

    Attributes:
        details: encrypted.
    """

    version: int
    details: bytes
    language: Language
    market: Market


@dataclass(frozen=True, slots=True)
class Ends:
    """What retention has to know of a customer.

    Attributes:
        by_kind: the last end of each kind; None when a request of it is not over.
    """

    customer_id: UUID
    by_kind: dict[RequestKind, datetime | None]


async def find_customer(
    connection: Connection, customer_id: UUID, visibility: Visibility = EVERYTHING
) -> Customer | None:
    """
    Args:
        visibility: which of their requests count.
    """
    row = await _STATEMENTS["select_customer"].fetchrow(connection, customer_id=customer_id, teams=teams_of(visibility))
    return None if row is None else _customer(row)


async def find_named_customer(connection: Connection, channel: str, external_id: str) -> Customer | None:
    """As a channel names them; not once erased."""
    found = await _STATEMENTS["find_named_customer"].fetchval(connection, channel=channel, external_id=external_id)
    return None if found is None else await find_customer(connection, found)


async def find_customer_of(connection: Connection, request_id: UUID) -> UUID:
    """The customer of a stored request."""
    customer_id: UUID = await _STATEMENTS["customer_of_request"].fetchval(connection, request_id=request_id)
    return customer_id


async def is_customer_erased(connection: Connection, request_id: UUID) -> bool:
    """By a request of theirs."""
    is_erased: bool = await _STATEMENTS["is_customer_erased"].fetchval(connection, request_id=request_id)
    return is_erased


async def count_contacts_anew(connection: Connection, customer_ids: Sequence[UUID]) -> dict[UUID, Contact]:
    """Give contacts their next versions. Whoever is erased, or locked by somebody else, is left out."""
    rows = await _STATEMENTS["count_contacts_anew"].fetch(connection, customer_ids=list(customer_ids))
    return {
        row["customer_id"]: Contact(row["version"], row["details"], Language(row["language"]), Market(row["market"]))
        for row in rows
    }


async def references_of(connection: Connection, customer_id: UUID) -> list[str]:
    """Of all requests of a customer, in the order of their ids."""
    rows = await _STATEMENTS["references_of_customer"].fetch(connection, customer_id=customer_id)
    return [row["reference"] for row in rows]


async def accesses_of(connection: Connection, customer_id: UUID, references: Sequence[str]) -> list[AccessRecord]:
    """Who read personal data of a customer or with their requests, the oldest first."""
    rows = await _STATEMENTS["accesses_of_customer"].fetch(
        connection, customer_id=customer_id, references=list(references)
    )
    return [AccessRecord(**dict(row)) for row in rows]


async def lock_whole_customer(connection: Connection, customer_id: UUID) -> list[str]:
    """Lock a customer and all their requests until the transaction ends; gives the references of those not over.

    Requests first, as moves do that open one beside another. What was submitted before the customer's row was locked
    is seen by the last statement, and nothing is submitted after.
    """
    await _STATEMENTS["lock_requests_of_customer"].fetch(connection, customer_id=customer_id)
    await _STATEMENTS["lock_customer"].fetchval(connection, customer_id=customer_id)
    rows = await _STATEMENTS["requests_not_over"].fetch(connection, customer_id=customer_id)
    return [row["reference"] for row in rows]


async def destroy(connection: Connection, customer_id: UUID, at: datetime) -> tuple[Destroyed, bytes | None]:
    """Destroy the key and everything it encrypted; gives how much that was, and the fingerprint of the key."""
    row = await _STATEMENTS["destroy_personal_data"].fetchrow(connection, customer_id=customer_id, at=at)
    assert row is not None
    columns = dict(row)
    fingerprint: bytes | None = columns.pop("key_fingerprint")
    return Destroyed(**columns), fingerprint


async def count_remains(connection: Connection, customer_id: UUID, personal: PersonalNames) -> Remains:
    """What is there of a customer, counted now.

    Args:
        personal: names that no attribute may have.
    """
    row = await _STATEMENTS["count_remains"].fetchrow(connection, customer_id=customer_id)
    assert row is not None
    found = await _STATEMENTS["attributes_of_customer"].fetch(connection, customer_id=customer_id)
    attributes = sum(any(map(personal.is_personal, each["names"])) for each in found)
    return Remains(**dict(row), attributes=attributes)


async def add_erasure(connection: Connection, erasure: Erasure) -> None:
    await _STATEMENTS["insert_erasure"].execute(
        connection,
        customer_id=erasure.customer_id,
        asked_by=erasure.asked_by,
        reason=erasure.reason,
        erased_at=erasure.erased_at,
        real_at=erasure.real_at,
        destroyed=json.dumps(asdict(erasure.destroyed)),
        key_fingerprint=erasure.key_fingerprint,
    )


async def find_erasure(connection: Connection, customer_id: UUID) -> Erasure | None:
    row = await _STATEMENTS["select_erasure"].fetchrow(connection, customer_id=customer_id)
    if row is None:
        return None
    confirmed = {
        service: Confirmation(said["messages"], datetime.fromisoformat(said["at"]))
        for service, said in json.loads(row["confirmed"]).items()
    }
    columns = dict(row) | {"destroyed": Destroyed(**json.loads(row["destroyed"])), "confirmed": confirmed}
    return Erasure(**columns)


async def confirm_erasure(connection: Connection, customer_id: UUID, service: str, said: Confirmation) -> None:
    """Keep what another service says it destroyed; the first time counts."""
    document = json.dumps({service: {"messages": said.messages, "at": said.at.isoformat()}})
    await _STATEMENTS["confirm_erasure"].execute(
        connection, customer_id=customer_id, service=service, confirmed=document
    )


async def read_ends(connection: Connection, after: UUID, recorded_before: datetime, count: int) -> Sequence[Ends]:
    """Customers who are not erased, in the order of their ids.

    Args:
        recorded_before: of whose details are newer nothing is looked up, and no kind is given.
    """
    rows = await _STATEMENTS["read_ends"].fetch(connection, after=after, recorded_before=recorded_before, count=count)
    found: defaultdict[UUID, dict[RequestKind, datetime | None]] = defaultdict(dict)
    for row in rows:
        kinds = found[row["customer_id"]]
        if row["kind"] is not None:
            kinds[RequestKind(row["kind"])] = row["ended_at"]
    return [Ends(customer_id, kinds) for customer_id, kinds in found.items()]


def _customer(row: Record) -> Customer:
    columns = dict(row) | {"language": Language(row["language"]), "market": Market(row["market"])}
    return Customer(**columns)
