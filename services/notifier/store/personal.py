"""Contacts and mails, inside one transaction: what is personal is encrypted with a key per customer.

The lock of a customer's contact also covers the key. Lock order: see ``subjects``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.notifier.domain.views import Contact
from services.notifier.store.statements import STATEMENTS
from shared.contracts.payload import Language
from shared.encryption import ContactDetails, CustomerKey, MasterKeyMissing, MasterKeys, Undecipherable
from shared.postgres import Connection, Record
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rendering:
    """The bytes of a mail and where they go.

    Attributes:
        customer_id: whose personal data they are; None for a mail to staff.
        message: ASCII.
    """

    notice_id: UUID
    language: Language
    recipients: tuple[str, ...] = field(repr=False)
    message: bytes = field(repr=False)
    customer_id: UUID | None = None


class PersonalStore:
    """The tables, inside the transaction of ``connection``; a customer's key is unwrapped once.

    Every method that needs a key raises ``MasterKeyMissing`` when it cannot be unwrapped here. What is damaged holds
    nobody else up: it is logged and taken for missing, and the next that is heard of the customer replaces it. A wrong
    master key is not mistaken for damage, because the start of the service tries it on some customers' keys.
    """

    def __init__(self, connection: Connection, master_keys: MasterKeys) -> None:
        self._connection = connection
        self._master_keys = master_keys
        self._keys: dict[UUID, CustomerKey] = {}
        self._damaged_keys: set[UUID] = set()

    # Contacts

    async def lock_contacts(self, customer_ids: Collection[UUID]) -> dict[UUID, Contact]:
        """All of them, made where they are new."""
        ids = sorted(customer_ids)
        if not ids:
            return {}
        await STATEMENTS["ensure_contacts"].execute(self._connection, customer_ids=ids)
        rows = await STATEMENTS["lock_contacts"].fetch(self._connection, customer_ids=ids)
        # A statement of its own: one that has waited for a lock does not see what other tables got meanwhile.
        await self._find_keys(row["customer_id"] for row in rows if row["details"] is not None)
        return {row["customer_id"]: self._contact(row) for row in rows}

    async def find_contact(self, customer_id: UUID) -> Contact | None:
        """Without a lock; None when nothing was heard of the customer."""
        row = await STATEMENTS["find_contact"].fetchrow(self._connection, customer_id=customer_id)
        if row is None:
            return None
        await self._find_keys([customer_id])
        return self._contact(row)

    async def save_contacts(self, contacts: Sequence[Contact]) -> None:
        if not contacts:
            return
        keys = await self._keys_of(contact.customer_id for contact in contacts if contact.name is not None)
        await STATEMENTS["save_contacts"].execute(
            self._connection,
            customer_ids=[c.customer_id for c in contacts],
            versions=[c.version for c in contacts],
            details=[_details(c, keys) for c in contacts],
            are_erased=[c.is_erased for c in contacts],
        )

    async def destroy(self, customer_ids: Collection[UUID]) -> dict[UUID, int]:
        """Delete their keys and everything that was written to them; gives the number of mails of each.

        Their contacts are locked and saved as erased by the caller.
        """
        ids = list(customer_ids)
        if not ids:
            return {}
        for customer_id in ids:
            self._keys.pop(customer_id, None)
        await STATEMENTS["delete_customer_keys"].execute(self._connection, customer_ids=ids)
        rows = await STATEMENTS["delete_renderings"].fetch(self._connection, customer_ids=ids)
        return dict.fromkeys(ids, 0) | {row["customer_id"]: row["count"] for row in rows}

    # Mails

    async def plain_contacts(self, count: int) -> list[Contact]:
        """Locks some that were stored before contacts were encrypted; saving encrypts them."""
        rows = await STATEMENTS["plain_contacts"].fetch(self._connection, count=count)
        return [Contact(row["customer_id"], row["version"], row["name"], row["email"]) for row in rows]

    async def plain_renderings(self, count: int) -> list[Rendering]:
        """The same for mails to customers, whose contacts are locked first."""
        plain = await STATEMENTS["plain_mails"].fetch(self._connection, count=count)
        await self.lock_contacts({row["customer_id"] for row in plain})
        notice_ids = [row["notice_id"] for row in plain]
        rows = await STATEMENTS["lock_plain_mails"].fetch(self._connection, notice_ids=notice_ids)
        return list(self._renderings(rows).values())

    async def save_renderings(self, renderings: Sequence[Rendering]) -> None:
        if not renderings:
            return
        keys = await self._keys_of(r.customer_id for r in renderings if r.customer_id is not None)
        encrypted = [
            keys[r.customer_id].encrypt(_written(r), _place(r.notice_id)) if r.customer_id else None for r in renderings
        ]
        await STATEMENTS["save_renderings"].execute(
            self._connection,
            notice_ids=[r.notice_id for r in renderings],
            languages=[r.language for r in renderings],
            recipients=[None if r.customer_id else ",".join(r.recipients) for r in renderings],
            messages=[None if r.customer_id else r.message for r in renderings],
            customer_ids=[r.customer_id for r in renderings],
            encrypted=encrypted,
        )

    async def readable_renderings(self, notice_ids: Iterable[UUID]) -> tuple[dict[UUID, Rendering], set[UUID]]:
        """Without those that cannot be decrypted here, so that they do not hold up the others.

        The second part is the notices among these whose mail never will be, because it or its key is damaged.
        """
        rows = await STATEMENTS["renderings"].fetch(self._connection, notice_ids=list(notice_ids))
        await self._find_keys(_encrypted_for(rows), is_patient=True)
        found = self._undamaged(rows)
        held = self._keys.keys() | self._damaged_keys
        return found, {row["notice_id"] for row in rows if row["customer_id"] in held} - found.keys()

    async def mails_to(self, customer_id: UUID) -> list[tuple[Record, Rendering | None]]:
        """Each kept mail with its notice's ids, kind, state, reason, language and instants, oldest first.

        One that is damaged, or whose key is, comes as None: who asks for everything is told of it. Without those whose
        key was destroyed.
        """
        rows = await STATEMENTS["mails_to_customer"].fetch(self._connection, customer_id=customer_id)
        await self._find_keys(_encrypted_for(rows))
        found = self._undamaged(rows)
        held = self._keys.keys() | self._damaged_keys
        return [(row, found.get(row["notice_id"])) for row in rows if row["encrypted"] is None or customer_id in held]

    # How

    async def _find_keys(self, customer_ids: Iterable[UUID], *, is_patient: bool = False) -> None:
        wanted = list(set(customer_ids) - self._keys.keys() - self._damaged_keys)
        if not wanted:
            return
        for row in await STATEMENTS["find_customer_keys"].fetch(self._connection, customer_ids=wanted):
            customer_id = row["customer_id"]
            try:
                self._keys[customer_id] = self._master_keys.unwrap(customer_id, row["wrapped"])
            except MasterKeyMissing:
                if not is_patient:
                    raise
            except Undecipherable:
                self._damaged_keys.add(customer_id)
                _log.error("the key of a customer is damaged", customer_id=str(customer_id))

    async def _keys_of(self, customer_ids: Iterable[UUID]) -> Mapping[UUID, CustomerKey]:
        """With new ones for those who have none."""
        wanted = set(customer_ids)
        await self._find_keys(wanted)
        made = [self._master_keys.new_key(customer_id) for customer_id in sorted(wanted - self._keys.keys())]
        if made:
            await STATEMENTS["insert_customer_keys"].execute(
                self._connection, customer_ids=[k.customer_id for k in made], wrapped=[k.wrapped for k in made]
            )
            self._keys |= {key.customer_id: key for key in made}
        return self._keys

    def _contact(self, row: Record) -> Contact:
        customer_id = row["customer_id"]
        if row["details"] is None:
            return Contact(customer_id, row["version"], is_erased=row["is_erased"])
        key = self._keys.get(customer_id)
        if key is None:
            # As after a restored backup of the data: either the tombstone or a newer contact will be heard again.
            _log.warning("a contact has no key any more", customer_id=str(customer_id))
            return Contact(customer_id)
        try:
            details = ContactDetails.decrypt(key, row["details"])
        except Undecipherable:
            _log.error("a contact is damaged", customer_id=str(customer_id))
            return Contact(customer_id)
        return Contact(customer_id, row["version"], details.name, details.email)

    def _undamaged(self, rows: Sequence[Record]) -> dict[UUID, Rendering]:
        found: dict[UUID, Rendering] = {}
        for row in rows:
            try:
                found |= self._renderings([row])
            except Undecipherable:
                _log.error("a mail is damaged", notice_id=str(row["notice_id"]))
        return found

    def _renderings(self, rows: Sequence[Record]) -> dict[UUID, Rendering]:
        """Those whose key is there, or that need none."""
        readable = (row for row in rows if row["encrypted"] is None or row["customer_id"] in self._keys)
        return {row["notice_id"]: self._rendering(row) for row in readable}

    def _rendering(self, row: Record) -> Rendering:
        notice_id, language, customer_id = row["notice_id"], Language(row["language"]), row["customer_id"]
        if row["encrypted"] is None:
            return Rendering(notice_id, language, tuple(row["recipients"]), row["message"], customer_id)
        text = self._keys[customer_id].decrypt(row["encrypted"], _place(notice_id))
        recipients, _, message = text.partition("\n")
        return Rendering(notice_id, language, tuple(recipients.split(",")), message.encode("ascii"), customer_id)


def _encrypted_for(rows: Sequence[Record]) -> Iterator[UUID]:
    return (row["customer_id"] for row in rows if row["encrypted"] is not None)


def _details(contact: Contact, keys: Mapping[UUID, CustomerKey]) -> bytes | None:
    """No channel of ours calls or texts, so the telephone number is not kept."""
    if contact.name is None:
        return None
    return ContactDetails(contact.name, contact.email, None).encrypt(keys[contact.customer_id])


def _written(rendering: Rendering) -> str:
    return ",".join(rendering.recipients) + "\n" + rendering.message.decode("ascii")


def _place(notice_id: UUID) -> str:
    return f"rendering:{notice_id}"
