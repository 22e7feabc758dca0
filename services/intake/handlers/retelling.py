"""Tells contacts again whose keys were encrypted with a new master key, so that the old one can be given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from services.intake.store.announcements import contact_event
from services.intake.store.personal.customers import count_contacts_anew
from shared.clock import Clock
from shared.contracts.topics import CONTACTS
from shared.encryption import CustomerKey
from shared.outbox import Outbox
from shared.postgres import Connection
from shared.telemetry.context import new_trace


class Retelling:
    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    async def tell(self, connection: Connection, keys: Sequence[CustomerKey]) -> Collection[UUID]:
        """Inside the caller's transaction. Details are told as they are stored, nothing is decrypted.

        Returns:
            whose contacts were told; the others are being changed by somebody else just now.
        """
        contacts = await count_contacts_anew(connection, [key.customer_id for key in keys])
        now = self._clock.now()
        events = [
            contact_event(key, one.version, one.details, one.language, one.market, now, new_trace())
            for key in keys
            if (one := contacts.get(key.customer_id)) is not None
        ]
        await self._outbox.append(connection, CONTACTS, events)
        return contacts.keys()
