"""Erases what is held on a customer: destroys the key, tells the others, and keeps a record that proves it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from prometheus_client import Counter

from services.intake.domain.erasure import Erasure
from services.intake.store.personal.customers import (
    add_erasure,
    destroy,
    find_customer,
    find_erasure,
    lock_whole_customer,
)
from shared.clock import Clock, real_now
from shared.contracts.topics import CONTACTS
from shared.errors import PunctualError
from shared.outbox import Outbox
from shared.postgres import Connection

ERASED = Counter("punctual_intake_customers_erased_total", "Customers whose data were destroyed, by cause.", ["cause"])


class CustomerUnknown(PunctualError):
    """There is no such customer."""


class RequestsNotOver(PunctualError):
    """Somebody still works for the customer.

    Attributes:
        references: of the requests that are not over.
    """

    def __init__(self, references: Sequence[str]) -> None:
        super().__init__(f"{len(references)} requests are not over")
        self.references = references


class Erasing:
    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    async def erase(self, connection: Connection, customer_id: UUID, by: str, reason: str, *, cause: str) -> Erasure:
        """Inside the caller's transaction. Who was erased before stays so, and the first record is given.

        Args:
            cause: ``asked`` or ``retention``, for the count.

        Raises:
            CustomerUnknown: nobody has this id.
            RequestsNotOver: nothing was destroyed.
        """
        customer = await find_customer(connection, customer_id)
        if customer is None:
            raise CustomerUnknown(f"no customer {customer_id}")
        not_over = await lock_whole_customer(connection, customer_id)
        known = await find_erasure(connection, customer_id)
        if known is not None:
            return known
        if not_over:
            raise RequestsNotOver(not_over)
        now = self._clock.now()
        destroyed, fingerprint = await destroy(connection, customer_id, now)
        erasure = Erasure(customer_id, by, reason, now, real_now(), destroyed, fingerprint, {})
        await add_erasure(connection, erasure)
        await self._outbox.append_encoded(connection, CONTACTS, [(str(customer_id).encode(), None, ())])
        ERASED.labels(cause).inc()
        return erasure
