"""Takes requests in, many in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from services.intake.domain.anomalies.likeness import Portrait
from services.intake.domain.chain import chain
from services.intake.domain.doubts import Doubted
from services.intake.domain.history import Entry, change_data
from services.intake.domain.kept_answer import without_external_id
from services.intake.domain.submission import Submission
from services.intake.store.answers import KeyInFlight, lock_timeout
from services.intake.store.personal.texts import encrypt_description
from services.intake.store.refusals import refusals_withheld
from shared.contracts.payload import Language, Market
from shared.encryption import ContactDetails, CustomerKey
from shared.errors import PunctualError, Retryable
from shared.postgres import Connection, Record, load_statements
from shared.values import value

_STATEMENTS = load_statements(__name__)


class NameClash(PunctualError):
    """A new reference or status token is taken already: name the requests anew and repeat the transaction."""


class CustomerMet(Retryable):
    """A customer came for the first time, was erased, or was told anew at the same moment: look for their keys anew."""


class CustomerBusy(Retryable):
    """Another transaction holds the customer's row and did not end in time."""


@value
class Arrival:
    """A submission with its idempotency key and the answer that a repeat will get.

    Attributes:
        history: its first entry, and the second when it goes into quarantine; not chained yet.
        wakes_rules: a rule of automation has to look at it.
        reminds_at: when to look at it for a reminder, business time; None while nothing happens to it: never.
        portrait: what is compared with requests that came before; None leaves that out.
    """

    submission: Submission
    history: tuple[Entry, ...]
    key: str
    fingerprint: bytes
    status: int
    body: str
    portrait: Portrait | None = None
    wakes_rules: bool = False
    reminds_at: datetime | None = None

    @property
    def doubted(self) -> Entry | None:
        """The entry that says what is doubted."""
        return self.history[1] if len(self.history) > 1 else None

    @property
    def doubts(self) -> Doubted | None:
        """What is doubted."""
        change = self.doubted.change if self.doubted is not None else None
        return change if isinstance(change, Doubted) else None


@value
class Encrypted:
    """What an arrival holds of personal data, as it is stored and told.

    Attributes:
        contact_version: of the customer's details when the key was read; 0 when the key was made for it, because the
            channel names the customer for the first time.
        mark: of the details, language and market; tells a change from a repeat.
    """

    key: CustomerKey
    contact_version: int
    details: bytes
    mark: bytes
    description: bytes | None


def encrypt(submission: Submission, key: CustomerKey, contact_version: int) -> Encrypted:
    """With the key of the customer; ``contact_version`` as in ``Encrypted``."""
    contact = submission.contact
    details = ContactDetails(contact.name, contact.email, contact.phone)
    return Encrypted(
        key=key,
        contact_version=contact_version,
        details=details.encrypt(key),
        mark=mark_details(key, details, contact.language, submission.market),
        description=encrypt_description(key, submission.request_id, submission.description),
    )


def mark_details(key: CustomerKey, details: ContactDetails, language: Language, market: Market) -> bytes:
    """32 bytes that change when any of it does."""
    return key.mark(f"{details.written()} {language} {market}")


@value
class Taken:
    """What the store decided about a request it took in.

    Attributes:
        customer: who it is from, and the contact details as they came with it.
        contact_version: the version of the contact details, counted per customer.
        is_contact_news: these details are new or changed and have to be told.
    """

    customer: Encrypted
    contact_version: int
    is_contact_news: bool

    @property
    def customer_id(self) -> UUID:
        return self.customer.key.customer_id


async def insert_requests(
    connection: Connection, arrivals: Sequence[Arrival], encrypted: Sequence[Encrypted], patience: timedelta
) -> dict[UUID, Taken]:
    """Store a batch in one round trip.

    Args:
        encrypted: the personal data of each arrival, in their order. Arrivals of one customer have one key.
        patience: how long to wait for another transaction that uses one of the keys or customers right now.

    Returns:
        What was taken in, by request id. An arrival that is missing has a key that was used before.

    Raises:
        NameClash: the transaction is spoilt.
        CustomerMet: it must be rolled back.
        KeyInFlight: the transaction is spoilt.
        CustomerBusy: the transaction is spoilt.
        Unstorable: the transaction is spoilt.
    """
    submissions = [arrival.submission for arrival in arrivals]
    changes = [submission.change() for submission in submissions]
    chained = [
        chain(submission.identity(one.key.customer_id), arrival.history)
        for arrival, submission, one in zip(arrivals, submissions, encrypted, strict=True)
    ]
    doubted = [history[1] if len(history) > 1 else None for history in chained]
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
            external_id_salts=[s.external_id_salt for s in submissions],
            external_id_hashes=[s.external_id_hash for s in submissions],
            kinds=[s.kind for s in submissions],
            processes=[s.process for s in submissions],
            process_versions=[s.process_version for s in submissions],
            product_lines=[s.product_line for s in submissions],
            priorities=[s.priority for s in submissions],
            markets=[s.market for s in submissions],
            languages=[s.contact.language for s in submissions],
            customer_tiers=[s.customer_tier for s in submissions],
            attributes=[to_json(s.attributes).decode() for s in submissions],
            descriptions=[one.description for one in encrypted],
            stages=[s.stage for s in submissions],
            submitted_ats=[s.submitted_at for s in submissions],
            recorded_ats=[s.recorded_at for s in submissions],
            heads=[history[0].hash for history in chained],
            event_types=[change.TYPE for change in changes],
            event_data=[to_json(change_data(change)).decode() for change in changes],
            doubts=[",".join(arrival.doubts.findings) if arrival.doubts else "" for arrival in arrivals],
            doubted_types=[entry and entry.change.TYPE for entry in doubted],
            doubted_data=[entry and to_json(change_data(entry.change)).decode() for entry in doubted],
            doubted_ats=[entry and entry.occurred_at for entry in doubted],
            doubted_causes=[entry and entry.cause for entry in doubted],
            doubted_hashes=[entry and entry.hash for entry in doubted],
            policies=[portrait and portrait.policy_number for portrait in portraits],
            signatures=[portrait and portrait.signature for portrait in portraits],
            customer_ids=[one.key.customer_id for one in encrypted],
            customer_external_ids=[s.contact.external_id for s in submissions],
            wrapped_keys=[None if one.contact_version else one.key.wrapped for one in encrypted],
            details=[one.details for one in encrypted],
            marks=[one.mark for one in encrypted],
            keys=[arrival.key for arrival in arrivals],
            fingerprints=[arrival.fingerprint for arrival in arrivals],
            statuses=[arrival.status for arrival in arrivals],
            bodies=[without_external_id(a.body, a.submission.external_id) for a in arrivals],
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
    customers = {arrival.submission.request_id: one for arrival, one in zip(arrivals, encrypted, strict=True)}
    if any(_is_outdated(customers[row["request_id"]], row) for row in rows):
        raise CustomerMet("the customer's key is another one now")
    return {
        row["request_id"]: Taken(customers[row["request_id"]], row["contact_version"], row["is_contact_news"])
        for row in rows
    }


def _is_outdated(customer: Encrypted, row: Record) -> bool:
    """The key must not be told when it was encrypted with a new master key, and told so, since it was read."""
    is_later = row["contact_version"] != customer.contact_version + 1
    return row["customer_id"] != customer.key.customer_id or bool(row["is_contact_news"] and is_later)
