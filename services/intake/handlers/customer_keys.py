"""Gets the keys that personal data are encrypted with, and makes those of customers who come for the first time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.intake.store.personal.keys import (
    KnownCustomer,
    Subject,
    WrappedKey,
    find_key,
    find_key_of_request,
    find_keys,
)
from shared.encryption import CustomerKey, MasterKeys
from shared.errors import PunctualError
from shared.ids import new_id
from shared.postgres import Connection


class CustomerErased(PunctualError):
    """The customer's data were erased, so nothing that people write about them can be stored any more."""


@dataclass(frozen=True, slots=True)
class Found:
    """Attributes:
    contact_version: see ``KnownCustomer``; 0 when the key was made now and is not stored yet.
    """

    key: CustomerKey
    contact_version: int


class CustomerKeys:
    """Args:
    master_keys: encrypt the customers' keys.
    """

    def __init__(self, master_keys: MasterKeys) -> None:
        self._master_keys = master_keys

    async def of_customers(self, connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Found]:
        """Each customer's key, with the customer's id; a new one for whoever comes for the first time.

        Raises:
            MasterKeyMissing: a key cannot be unwrapped here.
        """
        known = await find_keys(connection, subjects)
        return {subject: self._find(known.get(subject)) for subject in subjects}

    async def of_customer(self, connection: Connection, customer_id: UUID) -> CustomerKey:
        """The key of a customer by our id.

        Raises:
            CustomerErased: it was destroyed.
            MasterKeyMissing: it cannot be unwrapped here.
        """
        return self._unwrap(await find_key(connection, customer_id))

    async def of_request(self, connection: Connection, request_id: UUID) -> CustomerKey:
        """The key of a request's customer.

        Raises:
            CustomerErased: it was destroyed.
            MasterKeyMissing: it cannot be unwrapped here.
        """
        return self._unwrap(await find_key_of_request(connection, request_id))

    def _unwrap(self, found: WrappedKey | None) -> CustomerKey:
        if found is None:
            raise CustomerErased("the customer's data were erased")
        return self._master_keys.unwrap(found.customer_id, found.wrapped)

    def _find(self, known: KnownCustomer | None) -> Found:
        if known is None:
            return Found(self._master_keys.new_key(new_id()), contact_version=0)
        return Found(self._master_keys.unwrap(known.key.customer_id, known.key.wrapped), known.contact_version)
