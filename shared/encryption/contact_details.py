"""How to reach a customer, as the services that hold it store it and send it to each other: encrypted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pydantic_core import to_json

from shared.encryption.customer_key import CustomerKey, Undecipherable

_PLACE = "contact"


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """Personal data: kept out of ``repr``, hence out of logs and error texts."""

    name: str = field(repr=False)
    email: str | None = field(repr=False)
    phone: str | None = field(repr=False)

    def encrypt(self, key: CustomerKey) -> bytes:
        return key.encrypt(self.written(), _PLACE)

    @classmethod
    def decrypt(cls, key: CustomerKey, encrypted: bytes) -> ContactDetails:
        """
        Raises:
            Undecipherable: it is not what ``encrypt`` gave for this customer.
        """
        try:
            found = json.loads(key.decrypt(encrypted, _PLACE))
            return cls(found["name"], found.get("email"), found.get("phone"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Undecipherable("it holds no contact") from None

    def written(self) -> str:
        """JSON, always the same for the same details."""
        return to_json({"name": self.name, "email": self.email, "phone": self.phone}).decode()
