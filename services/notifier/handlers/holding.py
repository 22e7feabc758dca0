"""Gathers what is held on a customer, and notes who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.notifier.domain.views import Contact
from services.notifier.domain.wording.reading import read_mail
from services.notifier.domain.words import NoticeKind, NoticeState, Reason
from services.notifier.store.access_log import AccessRecord, accesses_of, add_access
from services.notifier.store.personal import PersonalStore, Rendering
from shared.clock import Clock, real_now
from shared.contracts.payload import Language
from shared.encryption import MasterKeys
from shared.postgres import Database, Record


@dataclass(frozen=True, slots=True)
class HeldMail:
    """A kept mail and its notice. Business instants.

    Attributes:
        is_damaged: it cannot be read any more; then without recipients, subject and message.
    """

    notice_id: UUID
    request_id: UUID
    reference: str
    kind: NoticeKind
    state: NoticeState
    reason: Reason | None
    planned_at: datetime
    ended_at: datetime | None
    language: Language
    is_damaged: bool
    recipients: tuple[str, ...] = field(repr=False)
    subject: str | None = field(repr=False)
    message: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """Attributes:
    contact: of version 0 when nothing was heard of the customer.
    read_by: the oldest first, the reading that this is for among them.
    """

    contact: Contact
    mails: Sequence[HeldMail]
    read_by: Sequence[AccessRecord]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, see ``AccessRecord``."""

    who: str
    subject: str
    roles: Sequence[str]
    correlation_id: str


class Holding:
    def __init__(self, database: Database, clock: Clock, master_keys: MasterKeys) -> None:
        self._database = database
        self._clock = clock
        self._master_keys = master_keys

    async def of_customer(self, customer_id: UUID, reader: Reader) -> Held:
        """All as of one instant. Whoever reads is noted before, also when there is nothing or it cannot be read.

        Raises:
            MasterKeyMissing: it cannot be decrypted here.
            DatabaseUnavailable: Postgres went away.
        """
        async with self._database.transaction() as connection:
            await add_access(connection, self._access(customer_id, reader))
        async with self._database.snapshot() as connection:
            personal = PersonalStore(connection, self._master_keys)
            contact = await personal.find_contact(customer_id) or Contact(customer_id)
            found = await personal.mails_to(customer_id)
            read_by = await accesses_of(connection, customer_id)
        return Held(contact, [_held_mail(row, rendering) for row, rendering in found], read_by)

    def _access(self, customer_id: UUID, reader: Reader) -> AccessRecord:
        return AccessRecord(
            customer_id=customer_id,
            who=reader.who,
            subject=reader.subject,
            roles=reader.roles,
            occurred_at=self._clock.now(),
            real_at=real_now(),
            correlation_id=reader.correlation_id,
        )


def _held_mail(row: Record, rendering: Rendering | None) -> HeldMail:
    subject, text = read_mail(rendering.message) if rendering is not None else (None, None)
    return HeldMail(
        notice_id=row["notice_id"],
        request_id=row["request_id"],
        reference=row["reference"],
        kind=NoticeKind(row["kind"]),
        state=NoticeState(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        planned_at=row["planned_at"],
        ended_at=row["ended_at"],
        language=Language(row["language"]),
        is_damaged=rendering is None,
        recipients=rendering.recipients if rendering is not None else (),
        subject=subject,
        message=text,
    )
