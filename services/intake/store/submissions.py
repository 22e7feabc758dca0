"""Takes requests in, many in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.intake.domain.anomalies.likeness import Portrait
from services.intake.domain.doubts import Doubted
from services.intake.domain.history import Entry, change_data
from services.intake.domain.submission import Submission
from services.intake.store.answers import KeyInFlight, lock_timeout
from services.intake.store.refusals import refusals_withheld
from shared.errors import PunctualError, Retryable
from shared.postgres import Connection, load_statements

_STATEMENTS = load_statements(__name__)


class NameClash(PunctualError):
    """A new reference or status token is taken already: name the requests anew and repeat the transaction."""


class CustomerBusy(Retryable):
    """Another transaction holds the customer's row and did not end in time."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A submission with its idempotency key and the answer that a repeat will get.

    Attributes:
        head: the hash of the first entry of its history.
        wakes_rules: a rule of automation has to look at it.
        reminds_at: when to look at it for a reminder, business time; None while nothing happens to it: never.
        doubted: the second entry, when it goes into quarantine.
        portrait: what is compared with requests that came before; None leaves that out.
    """

    submission: Submission
    head: bytes | None
    key: str
    fingerprint: bytes
    status: int
    body: str
    doubted: Entry | None = None
    portrait: Portrait | None = None
    wakes_rules: bool = False
    reminds_at: datetime | None = None

    @property
    def doubts(self) -> Doubted | None:
        """What is doubted."""
        change = self.doubted.change if self.doubted is not None else None
        return change if isinstance(change, Doubted) else None


@dataclass(frozen=True, slots=True)
class Taken:
    """What the store decided about a request it took in.

    Attributes:
        customer_id: the customer's id, an older one if the channel named them before.
        contact_version: the version of the contact details, counted per customer.
        is_contact_news: these details are new or changed and have to be told.
    """

    customer_id: UUID
    contact_version: int
    is_contact_news: bool


async def insert_requests(
    connection: Connection, arrivals: Sequence[Arrival], patience: timedelta
) -> dict[UUID, Taken]:
    """Store a batch in one round trip.

    Args:
        patience: how long to wait for another transaction that uses one of the keys or customers right now.

    Returns:
        What was taken in, by request id. An arrival that is missing has a key that was used before.

    Raises:
        NameClash: the transaction is spoilt.
        KeyInFlight: the transaction is spoilt.
        CustomerBusy: the transaction is spoilt.
        Unstorable: the transaction is spoilt.
    """
    submissions = [arrival.submission for arrival in arrivals]
    changes = [submission.change() for submission in submissions]
    doubted = [arrival.doubted for arrival in arrivals]
    portraits = [arrival.portrait for arrival in arrivals]
    try:
        rows = await _STATEMENTS["insert_requests"].fetch(
            connection,
            lock_timeout=lock_timeout(patience),
            request_ids=[s.request_id for s in submissions],
            references=[s.reference for s in submissions],
            status_tokens=[s.status_token for s in submissions],
            channels=[s.channel for s in submissions],
            external_ids=[s.external_id for s in submissions],
            kinds=[s.kind for s in submissions],
            processes=[s.process for s in submissions],
            process_versions=[s.process_version for s in submissions],
            product_lines=[s.product_line for s in submissions],
            priorities=[s.priority for s in submissions],
            markets=[s.market for s in submissions],
            languages=[s.contact.language for s in submissions],
            customer_tiers=[s.customer_tier for s in submissions],
            attributes=[json.dumps(dict(s.attributes)) for s in submissions],
            descriptions=[s.description for s in submissions],
            stages=[s.stage for s in submissions],
            submitted_ats=[s.submitted_at for s in submissions],
            recorded_ats=[s.recorded_at for s in submissions],
            heads=[arrival.head for arrival in arrivals],
            event_types=[change.TYPE for change in changes],
            event_data=[json.dumps(change_data(change)) for change in changes],
            doubts=[",".join(arrival.doubts.findings) if arrival.doubts else "" for arrival in arrivals],
            doubted_types=[entry and entry.change.TYPE for entry in doubted],
            doubted_data=[entry and json.dumps(change_data(entry.change)) for entry in doubted],
            doubted_ats=[entry and entry.occurred_at for entry in doubted],
            doubted_causes=[entry and entry.cause for entry in doubted],
            doubted_hashes=[entry and entry.hash for entry in doubted],
            policies=[portrait and portrait.policy_number for portrait in portraits],
            signatures=[portrait and portrait.signature for portrait in portraits],
            customer_ids=[s.customer_id for s in submissions],
            customer_external_ids=[s.contact.external_id for s in submissions],
            names=[s.contact.name for s in submissions],
            emails=[s.contact.email for s in submissions],
            phones=[s.contact.phone for s in submissions],
            keys=[arrival.key for arrival in arrivals],
            fingerprints=[arrival.fingerprint for arrival in arrivals],
            statuses=[arrival.status for arrival in arrivals],
            bodies=[arrival.body for arrival in arrivals],
        )
    except asyncpg.UniqueViolationError as error:
        raise NameClash(f"{error.constraint_name} is violated") from None
    except asyncpg.LockNotAvailableError as error:
        # Who waits for a key waits for its transaction, and then Postgres names the table. Of a customer it may name
        # nothing: the second in a row's queue waits for the first.
        if "idempotency_key" in (error.context or ""):
            raise KeyInFlight("another call with this key is being worked on") from None
        raise CustomerBusy("another call for this customer is being worked on") from None
    except asyncpg.PostgresError:
        with refusals_withheld():
            raise
    return {
        row["request_id"]: Taken(row["customer_id"], row["contact_version"], row["is_contact_news"]) for row in rows
    }
