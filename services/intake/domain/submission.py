"""A request as a channel submits it, checked and named, before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from uuid import UUID

from services.intake.domain.changes import Submitted
from services.intake.domain.identity import Identity, hash_external_id
from shared.contracts.payload import AttributeValue, CustomerTier, Language, Market, Priority, RequestKind
from shared.values import value


@value
class Contact:
    """How to reach a customer. Personal data: kept out of ``repr``, hence out of logs and error texts.

    Attributes:
        external_id: the channel's id of the customer; means nothing beyond that channel.
    """

    external_id: str = field(repr=False)
    name: str = field(repr=False)
    email: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    language: Language


@value
class Submission:
    """One request to take in.

    Attributes:
        status_token: the secret part of the customer's link.
        external_id_salt: hides the external id in the proof of the history; None without one.
        description: what people wrote; never leaves intake.
    """

    request_id: UUID
    reference: str
    status_token: str = field(repr=False)
    channel: str
    external_id: str | None
    kind: RequestKind
    process: str
    process_version: int
    stage: str
    product_line: str | None
    priority: Priority
    market: Market
    customer_tier: CustomerTier
    contact: Contact
    attributes: Mapping[str, AttributeValue]
    description: str | None = field(repr=False)
    submitted_at: datetime
    recorded_at: datetime
    external_id_salt: bytes | None = field(default=None, repr=False)

    @property
    def external_id_hash(self) -> bytes | None:
        """As the history proves it."""
        if self.external_id is None or self.external_id_salt is None:
            return None
        return hash_external_id(self.external_id_salt, self.external_id)

    def identity(self, customer_id: UUID) -> Identity:
        """
        Args:
            customer_id: our id, known once the customer was looked up.
        """
        return Identity(
            request_id=self.request_id,
            reference=self.reference,
            channel=self.channel,
            market=self.market,
            language=self.contact.language,
            customer_id=customer_id,
            external_id_hash=self.external_id_hash,
        )

    def change(self) -> Submitted:
        """The first entry of its history."""
        return Submitted(
            kind=self.kind,
            process_version=self.process_version,
            stage=self.stage,
            priority=self.priority,
            product_line=self.product_line,
            process=self.process,
            customer_tier=self.customer_tier,
            attributes=self.attributes,
        )


def status_path(token: str) -> str:
    """Where the customer may follow the request, below the public address."""
    return f"/t/{token}"
